#include "runtime/ops/op_name.h"

#include <cstring>

#include "schema/skiff_layout.h"

namespace skiff {
namespace {

/// One of names that stand one behind another. flatc's own tables cost a relocation a name.
template <typename E>
const char* pick(const char* names, E enumerator) noexcept {
  for (auto number = static_cast<unsigned>(enumerator); *names != '\0'; --number) {
    if (number == 0) return names;
    names += std::strlen(names) + 1;
  }
  return "unknown";
}

}  // namespace

using namespace fb::layout;
const char* name_of(fb::OpKind op) noexcept { return pick(kOpKindNames, op); }
const char* name_of(fb::Attrs attrs) noexcept { return pick(kAttrsNames, attrs); }
const char* name_of(fb::UnaryFunction function) noexcept {
  return pick(kUnaryFunctionNames, function);
}
const char* name_of(fb::BinaryFunction function) noexcept {
  return pick(kBinaryFunctionNames, function);
}
const char* name_of(fb::ReduceFunction function) noexcept {
  return pick(kReduceFunctionNames, function);
}

}  // namespace skiff
