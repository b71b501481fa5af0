#include "runtime/core/error.h"

#include <charconv>

namespace skiff {
namespace {

template <typename T>
void append_number(std::string& text, T number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number);
  text.append(digits, end.ptr);
}

}  // namespace

void append(std::string& text, std::string_view piece) { text.append(piece); }
void append(std::string& text, std::int64_t number) { append_number(text, number); }
void append(std::string& text, std::uint64_t number) { append_number(text, number); }
void append(std::string& text, double number) { append_number(text, number); }
void append(std::string& text, DType dtype) { text.append(name_of(dtype)); }

void append(std::string& text, const Shape& shape) {
  text.push_back('[');
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text.append(", ");
    append_number(text, shape[axis]);
  }
  text.push_back(']');
}

const char* name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::ok:
      return "ok";
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::io:
      return "io";
    case ErrorCode::invalid_model:
      return "invalid_model";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::budget_exceeded:
      return "budget_exceeded";
    case ErrorCode::out_of_memory:
      return "out_of_memory";
    case ErrorCode::device:
      return "device";
    case ErrorCode::bad_value:
      return "bad_value";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace skiff
