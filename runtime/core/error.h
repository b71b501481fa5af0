#pragma once

#include <skiff/error.h>

#include <concepts>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include <skiff/dtype.h>
#include <skiff/shape.h>

namespace skiff {

/// Pieces of a message: texts, numbers, dtypes and shapes. A check that holds must cost little, in
/// bytes too, and there are many: so pieces are passed as they are, with their kinds in one number
/// that the compiler makes, to functions that put the text together. No iostream, no format
/// library.
namespace pieces {

enum Kind : std::uint8_t { end, literal, text, shape, dtype, integer, natural, real };
inline constexpr int kKindBits = 3;

/// A std::string_view that may be passed through "...".
struct Text {
  const char* data;
  std::size_t size;
};

template <typename T>
constexpr Kind kind_of() noexcept {
  if constexpr (std::convertible_to<T, const char*>) return literal;
  if constexpr (std::convertible_to<const T&, std::string_view>) return text;
  if constexpr (std::same_as<T, Shape>) return shape;
  if constexpr (std::same_as<T, DType>) return dtype;
  if constexpr (std::unsigned_integral<T>) return natural;
  return std::integral<T> ? integer : real;
}

/// The kinds of a list of pieces, the first in the lowest bits.
constexpr std::uint64_t pack(std::initializer_list<Kind> kinds) noexcept {
  std::uint64_t packed = 0;
  int shift = 0;
  for (Kind kind : kinds) {
    packed |= std::uint64_t{kind} << shift;
    shift += kKindBits;
  }
  return packed;
}

template <typename... Types>
requires(sizeof...(Types) * kKindBits <
         64) inline constexpr std::uint64_t kKinds = pack({kind_of<std::decay_t<Types>>()...});

/// A piece as the functions below read it.
template <typename T>
[[gnu::always_inline]] inline auto passed(const T& piece) noexcept {
  constexpr Kind kind = kind_of<std::decay_t<T>>();
  if constexpr (kind == literal)
    return static_cast<const char*>(piece);
  else if constexpr (kind == text)
    return Text{std::string_view(piece).data(), std::string_view(piece).size()};
  else if constexpr (kind == shape)
    return &piece;
  else if constexpr (kind == dtype)
    return static_cast<int>(piece);
  else if constexpr (kind == integer)
    return static_cast<std::int64_t>(piece);
  else if constexpr (kind == natural)
    return static_cast<std::uint64_t>(piece);
  else
    return static_cast<double>(piece);
}

void append(std::string& to, std::uint64_t kinds, std::va_list values);
std::string join(std::uint64_t kinds, ...);
[[noreturn, gnu::cold]] void fail(ErrorCode code, std::uint64_t kinds, ...);

}  // namespace pieces

/// The pieces in one string; shapes as [1, 3, 224, 224].
template <typename... Pieces>
[[gnu::always_inline]] inline std::string message(const Pieces&... parts) {
  return pieces::join(pieces::kKinds<Pieces...>, pieces::passed(parts)...);
}

/// Throws Error with the message made of the pieces.
template <typename... Pieces>
[[noreturn, gnu::always_inline]] inline void fail(ErrorCode code, const Pieces&... parts) {
  pieces::fail(code, pieces::kKinds<Pieces...>, pieces::passed(parts)...);
}

/// Throws Error{code, pieces} unless the condition holds.
template <typename... Pieces>
[[gnu::always_inline]] inline void require(bool condition, ErrorCode code, const Pieces&... parts) {
  if (!condition) [[unlikely]]
    fail(code, parts...);
}

}  // namespace skiff
