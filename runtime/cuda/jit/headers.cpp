#include "runtime/cuda/jit/headers.h"

#include <span>

#include "runtime/core/error.h"
#include "schema/skiff_generated.h"

namespace skiff::cuda::jit {
namespace {

struct Header {
  const char *name, *text;
};
/// As the build found them (sources.cmake).
constexpr Header kEmbedded[] = {
#include "embedded_headers.inc"
};

template <typename E, std::size_t kCount>
std::string enumeration(const char* type, const E (&values)[kCount], const char* (*name)(E)) {
  std::string text = message("enum class ", type, " : unsigned char {");
  for (const E value : values) text += message(name(value), " = ", static_cast<int>(value), ", ");
  return text + "};\n";
}

/// runtime/cuda/activation.h without the schema's header, which a run-time compiler cannot read.
std::string functions_header() {
  return message(
      "#pragma once\nnamespace skiff::fb {\n",
      enumeration("UnaryFunction", fb::EnumValuesUnaryFunction(), fb::EnumNameUnaryFunction),
      enumeration("BinaryFunction", fb::EnumValuesBinaryFunction(), fb::EnumNameBinaryFunction),
      "}\nnamespace skiff::cuda {\n"
      "struct Activation { fb::UnaryFunction function; float alpha, beta; };\n}\n");
}

}  // namespace

Headers::Headers() : functions_(functions_header()) {
  const auto add = [&](const char* name, const char* text) {
    names_.push_back(name);
    texts_.push_back(text);
  };
  for (const Header& header : kEmbedded) add(header.name, header.text);
  add("runtime/cuda/activation.h", functions_.c_str());
  add("cmath", "");  // its functions are built in
}

const Headers& Headers::get() {
  static const Headers one;
  return one;
}

}  // namespace skiff::cuda::jit
