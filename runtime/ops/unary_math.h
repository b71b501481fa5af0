#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "schema/skiff_generated.h"

namespace skiff {

/// Unsigned type in which integers of type T wrap without promotion's surprises.
template <typename T>
using Wrapping = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

/// y = f(x) of the schema for one float or double. Comparisons are written so that NaN stays NaN.
template <fb::UnaryFunction F, typename T>
T unary_float(T x, T alpha, T beta) noexcept {
  using enum fb::UnaryFunction;
  const T zero = 0, one = 1, half = T(0.5);
  const auto softplus_of = [&] {
    return (x < zero ? zero : x) + std::log1p(std::exp(-std::abs(x)));
  };
  const auto clamp01 = [&](T v) { return v < zero ? zero : v > one ? one : v; };
  if constexpr (F == relu) return x < zero ? zero : x;
  if constexpr (F == clip) return x < alpha ? std::min(alpha, beta) : x > beta ? beta : x;
  if constexpr (F == leaky_relu) return x < zero ? alpha * x : x;
  if constexpr (F == sigmoid) return one / (one + std::exp(-x));
  if constexpr (F == tanh) return std::tanh(x);
  if constexpr (F == hard_sigmoid) return clamp01(alpha * x + beta);
  if constexpr (F == hard_swish) return x * clamp01(x / T(6) + half);
  if constexpr (F == swish) return x / (one + std::exp(-alpha * x));
  if constexpr (F == gelu_erf) return half * x * (one + std::erf(x * T(0.70710678118654752440)));
  if constexpr (F == gelu_tanh)
    return half * x * (one + std::tanh(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x)));
  if constexpr (F == elu) return x < zero ? alpha * std::expm1(x) : x;
  if constexpr (F == selu) return beta * (x < zero ? alpha * std::expm1(x) : x);
  if constexpr (F == celu) return x < zero ? alpha * std::expm1(x / alpha) : x;
  if constexpr (F == softplus) return softplus_of();
  if constexpr (F == softsign) return x / (one + std::abs(x));
  if constexpr (F == mish) return x * std::tanh(softplus_of());
  if constexpr (F == thresholded_relu) return x > alpha || x != x ? x : zero;
  if constexpr (F == shrink)
    return x < -beta ? x + alpha : x > beta ? x - alpha : x != x ? x : zero;
  if constexpr (F == abs) return std::abs(x);
  if constexpr (F == neg) return -x;
  if constexpr (F == exp) return std::exp(x);
  if constexpr (F == log) return std::log(x);
  if constexpr (F == sqrt) return std::sqrt(x);
  if constexpr (F == rsqrt) return one / std::sqrt(x);
  if constexpr (F == reciprocal) return one / x;
  if constexpr (F == square) return x * x;
  if constexpr (F == floor) return std::floor(x);
  if constexpr (F == ceil) return std::ceil(x);
  if constexpr (F == round) return std::nearbyint(x);
  if constexpr (F == sign) return x > zero ? one : x < zero ? -one : x == zero ? zero : x;
  if constexpr (F == erf) return std::erf(x);
  if constexpr (F == sin) return std::sin(x);
  if constexpr (F == cos) return std::cos(x);
  if constexpr (F == tan) return std::tan(x);
  if constexpr (F == asin) return std::asin(x);
  if constexpr (F == acos) return std::acos(x);
  if constexpr (F == atan) return std::atan(x);
  if constexpr (F == sinh) return std::sinh(x);
  if constexpr (F == cosh) return std::cosh(x);
  if constexpr (F == asinh) return std::asinh(x);
  if constexpr (F == acosh) return std::acosh(x);
  if constexpr (F == atanh) return std::atanh(x);
  return x;
}

/// The same for integers, which wrap; alpha and beta are bounds inside T.
template <fb::UnaryFunction F, typename T>
T unary_integer(T x, T alpha, T beta) noexcept {
  using enum fb::UnaryFunction;
  using W = Wrapping<T>;
  if constexpr (F == relu) return std::max<T>(x, 0);
  if constexpr (F == clip) return std::min(std::max(x, alpha), beta);
  if constexpr (F == abs) return x < 0 ? static_cast<T>(W{0} - static_cast<W>(x)) : x;
  if constexpr (F == neg) return static_cast<T>(W{0} - static_cast<W>(x));
  if constexpr (F == square) return static_cast<T>(static_cast<W>(x) * static_cast<W>(x));
  if constexpr (F == sign) return static_cast<T>((x > 0) - (x < 0));
  if constexpr (F == bitwise_not) return static_cast<T>(~x);
  return x;
}

/// A float as an integer: towards zero, clamped to T's range, NaN as 0.
template <typename T, typename Float>
T saturate_to(Float value) noexcept {
  constexpr auto kLow = static_cast<Float>(std::numeric_limits<T>::min());
  // One above the largest, exactly: 2^bits.
  constexpr auto kAbove = static_cast<Float>(std::numeric_limits<T>::max() / 2 + 1) * 2;
  if (value != value) return 0;
  if (value <= kLow) return std::numeric_limits<T>::min();
  if (value >= kAbove) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

}  // namespace skiff
