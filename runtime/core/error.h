#pragma once

#include <skiff/error.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <skiff/dtype.h>
#include <skiff/shape.h>

namespace skiff {

/// Pieces of an error message. No iostream, no format library: the runtime stays small.
void append(std::string& text, std::string_view piece);
void append(std::string& text, std::int64_t number);
void append(std::string& text, std::uint64_t number);
void append(std::string& text, double number);
void append(std::string& text, DType dtype);
void append(std::string& text, const Shape& shape);  ///< as [1, 3, 224, 224]

template <typename T>
void append_piece(std::string& text, const T& piece) {
  if constexpr (std::convertible_to<const T&, std::string_view>) {
    append(text, std::string_view(piece));
  } else if constexpr (std::same_as<T, DType> || std::same_as<T, Shape>) {
    append(text, piece);
  } else if constexpr (std::unsigned_integral<T>) {
    append(text, static_cast<std::uint64_t>(piece));
  } else if constexpr (std::integral<T>) {
    append(text, static_cast<std::int64_t>(piece));
  } else {
    append(text, static_cast<double>(piece));
  }
}

/// The pieces in one string: texts, numbers, dtypes and shapes.
template <typename... Pieces>
std::string message(const Pieces&... pieces) {
  std::string text;
  (append_piece(text, pieces), ...);
  return text;
}

/// Throws Error with the message made of the pieces.
template <typename... Pieces>
[[noreturn]] void fail(ErrorCode code, const Pieces&... pieces) {
  throw Error(code, message(pieces...));
}

/// Throws Error{code, pieces} unless the condition holds.
template <typename... Pieces>
void require(bool condition, ErrorCode code, const Pieces&... pieces) {
  if (!condition) [[unlikely]]
    fail(code, pieces...);
}

}  // namespace skiff
