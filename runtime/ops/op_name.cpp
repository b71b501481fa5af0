#include "runtime/ops/op.h"

namespace skiff {

const char* name_of(fb::OpKind op) noexcept {
  return op <= fb::OpKind::MAX ? fb::EnumNameOpKind(op) : "unknown";
}

}  // namespace skiff
