#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/ops/unary_math.h"

namespace skiff {

/// Integer powers by squaring, wrapping. A negative exponent gives the truncated reciprocal: 0, or
/// +-1 for bases of +-1.
template <typename T>
T integer_power(T base, T exponent) noexcept {
  using W = Wrapping<T>;
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) {
      if (base == 1) return 1;
      if (base == -1) return static_cast<T>((exponent & 1) != 0 ? -1 : 1);
      return 0;
    }
  }
  W result = 1, square = static_cast<W>(base);
  for (auto rest = static_cast<W>(exponent); rest != 0; rest >>= 1) {
    if ((rest & 1) != 0) result *= square;
    square *= square;
  }
  return static_cast<T>(result);
}

/// f(a, b) of the schema for integers. Sums, differences and products wrap; division truncates;
/// a divisor of 0 gives 0; the lowest number divided by -1 is itself. Shifts by the width or more
/// (or by a negative count) leave 0, or the sign.
template <fb::BinaryFunction F, typename T>
T binary_integer(T a, T b) noexcept {
  using enum fb::BinaryFunction;
  using W = Wrapping<T>;
  const auto wide_a = static_cast<W>(a), wide_b = static_cast<W>(b);
  constexpr bool kSigned = std::is_signed_v<T>;
  if constexpr (F == add) return static_cast<T>(wide_a + wide_b);
  if constexpr (F == sub) return static_cast<T>(wide_a - wide_b);
  if constexpr (F == mul) return static_cast<T>(wide_a * wide_b);
  if constexpr (F == squared_difference)
    return static_cast<T>((wide_a - wide_b) * (wide_a - wide_b));
  if constexpr (F == pow) return integer_power(a, b);
  if constexpr (F == minimum) return b < a ? b : a;
  if constexpr (F == maximum) return a < b ? b : a;
  if constexpr (F == prelu) return a < 0 ? static_cast<T>(wide_a * wide_b) : a;
  if constexpr (F == div || F == floor_div || F == mod || F == fmod) {
    if (b == 0) return 0;
    if (kSigned && b == static_cast<T>(-1))
      return F == div || F == floor_div ? static_cast<T>(W{0} - wide_a) : T{0};
    const auto quotient = static_cast<T>(a / b), rest = static_cast<T>(a % b);
    const bool crosses = kSigned && rest != 0 && (rest < 0) != (b < 0);
    if constexpr (F == div) return quotient;
    if constexpr (F == fmod) return rest;
    if constexpr (F == floor_div) return static_cast<T>(crosses ? quotient - 1 : quotient);
    return static_cast<T>(crosses ? rest + b : rest);
  }
  if constexpr (F == bitwise_and) return static_cast<T>(a & b);
  if constexpr (F == bitwise_or) return static_cast<T>(a | b);
  if constexpr (F == bitwise_xor) return static_cast<T>(a ^ b);
  if constexpr (F == shift_left || F == shift_right) {
    constexpr std::uint64_t kWidth = sizeof(T) * 8;
    const bool inside = static_cast<std::uint64_t>(b) < kWidth;
    if constexpr (F == shift_left) return inside ? static_cast<T>(wide_a << b) : T{0};
    return inside ? static_cast<T>(a >> b) : a < 0 ? static_cast<T>(-1) : T{0};
  }
  return a;
}

/// The same for float or double. minimum and maximum hand on a NaN of either side; mod of floats is
/// Python's.
template <fb::BinaryFunction F, typename T>
T binary_float(T a, T b) noexcept {
  using enum fb::BinaryFunction;
  if constexpr (F == add) return a + b;
  if constexpr (F == sub) return a - b;
  if constexpr (F == mul) return a * b;
  if constexpr (F == div) return a / b;
  if constexpr (F == squared_difference) return (a - b) * (a - b);
  if constexpr (F == pow) return std::pow(a, b);
  if constexpr (F == minimum) return ((a < b) | (a != a)) ? a : b;
  if constexpr (F == maximum) return ((a > b) | (a != a)) ? a : b;
  if constexpr (F == fmod) return std::fmod(a, b);
  if constexpr (F == mod) {
    const T rest = std::fmod(a, b);
    return rest != 0 ? ((rest < 0) != (b < 0) ? rest + b : rest) : std::copysign(T{0}, b);
  }
  if constexpr (F == floor_div) return std::floor(a / b);
  if constexpr (F == prelu) return a < 0 ? a * b : a;
  if constexpr (F == atan2) return std::atan2(a, b);
  return a;
}

template <fb::BinaryFunction F, typename T>
bool compare(T a, T b) noexcept {
  using enum fb::BinaryFunction;
  if constexpr (F == equal) return a == b;
  if constexpr (F == not_equal) return a != b;
  if constexpr (F == less) return a < b;
  if constexpr (F == less_equal) return a <= b;
  if constexpr (F == greater) return a > b;
  if constexpr (F == greater_equal) return a >= b;
  if constexpr (F == logical_and) return a && b;
  if constexpr (F == logical_or) return a || b;
  if constexpr (F == logical_xor) return !a != !b;
  return false;
}

constexpr bool compares(fb::BinaryFunction function) {
  return function >= fb::BinaryFunction::equal && function <= fb::BinaryFunction::logical_xor;
}

}  // namespace skiff
