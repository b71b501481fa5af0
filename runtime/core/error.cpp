#include "runtime/core/error.h"

#include <charconv>
#include <utility>

namespace skiff {
namespace {

template <typename T>
void append_number(std::string& text, T number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number);
  text.append(digits, end.ptr);
}

void append_shape(std::string& text, const Shape& shape) {
  text.push_back('[');
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text.append(", ");
    append_number(text, shape[axis]);
  }
  text.push_back(']');
}

}  // namespace

namespace pieces {

void append(std::string& to, std::uint64_t kinds, std::va_list values) {
  for (; kinds != 0; kinds >>= kKindBits) {
    switch (static_cast<Kind>(kinds & ((1 << kKindBits) - 1))) {
      case literal:
        to.append(va_arg(values, const char*));
        break;
      case text: {
        const auto [data, size] = va_arg(values, Text);
        to.append(data, size);
        break;
      }
      case shape:
        append_shape(to, *va_arg(values, const Shape*));
        break;
      case dtype:
        to.append(name_of(static_cast<DType>(va_arg(values, int))));
        break;
      case integer:
        append_number(to, va_arg(values, std::int64_t));
        break;
      case natural:
        append_number(to, va_arg(values, std::uint64_t));
        break;
      case real:
        append_number(to, va_arg(values, double));
        break;
      case end:
        break;
    }
  }
}

std::string join(std::uint64_t kinds, ...) {
  std::string text;
  std::va_list values;
  va_start(values, kinds);
  append(text, kinds, values);
  va_end(values);
  return text;
}

void fail(ErrorCode code, std::uint64_t kinds, ...) {
  std::string text;
  std::va_list values;
  va_start(values, kinds);
  append(text, kinds, values);
  va_end(values);
  throw Error(code, std::move(text));
}

}  // namespace pieces

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
