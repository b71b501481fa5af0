#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "runtime/core/error.h"
#include "runtime/core/half.h"
#include "runtime/ops/op.h"

namespace skiff {

/// One stored binary16 number. Arithmetic happens in float; assigning rounds to nearest even.
struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value) noexcept : bits(float_to_half(value)) {}
  explicit operator float() const noexcept { return half_to_float(bits); }
};

/// One stored bfloat16 number, likewise.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value) noexcept : bits(float_to_bfloat16(value)) {}
  explicit operator float() const noexcept { return bfloat16_to_float(bits); }
};

template <>
constexpr DType dtype_of<Float16>() noexcept {
  return DType::float16;
}
template <>
constexpr DType dtype_of<BFloat16>() noexcept {
  return DType::bfloat16;
}

/// The type that stored values of type T are computed in: float for the 16-bit floats, else T.
template <typename T>
using Compute =
    std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>, float, T>;

template <typename T>
Compute<T> load(const T& value) noexcept {
  return static_cast<Compute<T>>(value);
}

/// A list of element types that an operator is instantiated for.
template <typename... Ts>
struct Types {};
template <typename... As, typename... Bs>
constexpr Types<As..., Bs...> operator+(Types<As...>, Types<Bs...>) {
  return {};
}

using FloatTypes = Types<float, Float16, BFloat16, double>;
using SignedTypes = Types<std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
using UnsignedTypes = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
using IntegerTypes = decltype(SignedTypes{} + UnsignedTypes{});
using NumericTypes = decltype(FloatTypes{} + IntegerTypes{});
using AllTypes = decltype(NumericTypes{} + Types<bool>{});
/// What tensors of indices may be.
using IndexTypes = Types<std::int32_t, std::int64_t>;
/// One type a size: enough for operators that only move elements.
using SizeTypes = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;

template <typename... Ts>
constexpr bool holds(Types<Ts...>, DType dtype) noexcept {
  return ((dtype == dtype_of<Ts>()) || ...);
}

/// Throws Error{unsupported} that names node and dtype.
[[noreturn]] inline void fail_dtype(const NodeView& node, DType dtype) {
  fail(ErrorCode::unsupported, "node '", node.name, "' (", name_of(node.op), "): dtype ", dtype,
       " is not supported here");
}

/// Calls f(std::type_identity<T>{}) for the T of the list that stores `dtype`; for choosing a typed
/// function in a kernel's constructor. A dtype beyond the list throws Error{unsupported}.
template <typename F, typename T, typename... Ts>
auto dispatch(const NodeView& node, DType dtype, Types<T, Ts...>, F&& f) {
  if (dtype == dtype_of<T>()) return f(std::type_identity<T>{});
  if constexpr (sizeof...(Ts) > 0) {
    return dispatch(node, dtype, Types<Ts...>{}, std::forward<F>(f));
  } else {
    fail_dtype(node, dtype);
  }
}

/// The unsigned dtype of the same element size: what dispatch(..., SizeTypes) takes.
constexpr DType dtype_of_size(DType dtype) noexcept {
  switch (size_of(dtype)) {
    case 1:
      return DType::uint8;
    case 2:
      return DType::uint16;
    case 4:
      return DType::uint32;
    default:
      return DType::uint64;
  }
}

}  // namespace skiff
