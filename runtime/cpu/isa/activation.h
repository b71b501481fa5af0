#pragma once

#include "runtime/cpu/isa/simd.h"

// Fused activations on vectors. Error bounds against the exact function, in units in the last place
// of the result unless said otherwise, over all finite floats:
//   relu, clip, leaky_relu, hard_*, thresholded_relu, shrink, softsign: exact or correctly rounded
//   operations, at most 2; sigmoid, swish: 4; tanh: 6; elu, selu, celu: 4 (expm1); softplus: 4;
//   gelu_erf, gelu_tanh, mish: absolute 4e-7 max(1, |x|) (they cancel for large negative x).
namespace skiff::cpu {
namespace {

namespace ei = Eigen::internal;

SKIFF_INLINE Vec exp_of(Vec x) { return ei::pexp(x); }
SKIFF_INLINE Vec select_less(Vec a, Vec b, Vec yes, Vec no) {
  return ei::pselect(ei::pcmp_lt(a, b), yes, no);
}
SKIFF_INLINE Vec negate(Vec x) { return ei::pnegate(x); }

/// 1 / (1 + exp(-x)); below -88 exp overflows to a large finite number and the result is ~1e-38.
SKIFF_INLINE Vec sigmoid(Vec x) { return div(splat(1), add(splat(1), exp_of(negate(x)))); }
SKIFF_INLINE Vec tanh_of(Vec x) {
  return ei::pselect(ei::pcmp_eq(x, x), ei::generic_fast_tanh_float(x), x);
}
SKIFF_INLINE Vec erf_of(Vec x) { return ei::generic_fast_erf_float(x); }
SKIFF_INLINE Vec expm1_of(Vec x) { return ei::generic_expm1(x); }
/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)).
SKIFF_INLINE Vec softplus(Vec x) {
  return add(at_least(x, zero()), ei::generic_plog1p(exp_of(negate(ei::pabs(x)))));
}

SKIFF_INLINE Vec hard_sigmoid(Vec x, Vec alpha, Vec beta) {
  return at_most(at_least(fma(alpha, x, beta), zero()), splat(1));
}

SKIFF_INLINE Vec gelu_tanh(Vec x) {
  const Vec cubic = mul(mul(x, x), mul(x, splat(0.044715f)));
  const Vec half = mul(x, splat(0.5f));
  return fma(half, tanh_of(mul(splat(0.7978845608f), add(x, cubic))), half);
}

SKIFF_INLINE Vec gelu_erf(Vec x) {
  const Vec half = mul(x, splat(0.5f));
  return fma(half, erf_of(mul(x, splat(0.7071067812f))), half);
}

SKIFF_INLINE Vec shrink(Vec x, Vec alpha, Vec beta) {
  const Vec above = ei::pselect(ei::pcmp_le(x, beta), zero(), sub(x, alpha));  // a NaN stays
  return select_less(x, negate(beta), add(x, alpha), above);
}

/// y = f(x) with alpha and beta as the schema says; F is a constant, so only one branch is left.
template <Activation F>
SKIFF_INLINE Vec apply(Vec x, Vec alpha, Vec beta) {
  using enum Activation;
  if constexpr (F == relu) return at_least(x, zero());
  if constexpr (F == clip) return at_most(at_least(x, alpha), beta);
  if constexpr (F == leaky_relu) return select_less(x, zero(), mul(x, alpha), x);
  if constexpr (F == sigmoid) return skiff::cpu::sigmoid(x);
  if constexpr (F == tanh) return tanh_of(x);
  if constexpr (F == hard_sigmoid) return skiff::cpu::hard_sigmoid(x, alpha, beta);
  if constexpr (F == hard_swish)
    return mul(x, skiff::cpu::hard_sigmoid(x, splat(1.0f / 6), splat(0.5f)));
  if constexpr (F == swish) return mul(x, skiff::cpu::sigmoid(mul(alpha, x)));
  if constexpr (F == gelu_erf) return skiff::cpu::gelu_erf(x);
  if constexpr (F == gelu_tanh) return skiff::cpu::gelu_tanh(x);
  if constexpr (F == elu) return select_less(x, zero(), mul(alpha, expm1_of(x)), x);
  if constexpr (F == selu) return mul(beta, select_less(x, zero(), mul(alpha, expm1_of(x)), x));
  if constexpr (F == celu) return select_less(x, zero(), mul(alpha, expm1_of(div(x, alpha))), x);
  if constexpr (F == softplus) return skiff::cpu::softplus(x);
  if constexpr (F == softsign) return div(x, add(splat(1), ei::pabs(x)));
  if constexpr (F == mish) return mul(x, tanh_of(skiff::cpu::softplus(x)));
  if constexpr (F == thresholded_relu) return ei::pselect(ei::pcmp_le(x, alpha), zero(), x);
  if constexpr (F == shrink) return skiff::cpu::shrink(x, alpha, beta);
  return x;
}

template <Activation F>
void activate_all(const Epilogue& f, const float* x, float* y, std::int64_t count) {
  const Vec alpha = splat(f.alpha), beta = splat(f.beta);
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, apply<F>(load(x + i), alpha, beta));
  if (i < count) store_first(y + i, apply<F>(load_first(x + i, count - i), alpha, beta), count - i);
}

void activate(const Epilogue& f, const float* x, float* y, std::int64_t count) {
  using enum Activation;
  switch (f.activation) {
#define SKIFF_CASE(name) \
  case name:             \
    return activate_all<name>(f, x, y, count);
    SKIFF_CASE(none)
    SKIFF_CASE(relu)
    SKIFF_CASE(clip)
    SKIFF_CASE(leaky_relu)
    SKIFF_CASE(sigmoid)
    SKIFF_CASE(tanh)
    SKIFF_CASE(hard_sigmoid)
    SKIFF_CASE(hard_swish)
    SKIFF_CASE(swish)
    SKIFF_CASE(gelu_erf)
    SKIFF_CASE(gelu_tanh)
    SKIFF_CASE(elu)
    SKIFF_CASE(selu)
    SKIFF_CASE(celu)
    SKIFF_CASE(softplus)
    SKIFF_CASE(softsign)
    SKIFF_CASE(mish)
    SKIFF_CASE(thresholded_relu)
    SKIFF_CASE(shrink)
#undef SKIFF_CASE
  }
}

/// The clamping activations as bounds, which cost nothing beside a product; others stay linear here
/// and are applied to what was just stored.
struct Bounds {
  Vec low, high;
  bool later;
};

SKIFF_INLINE Bounds bounds_of(const Epilogue& f) {
  const float infinity = __builtin_inff();
  switch (f.activation) {
    case Activation::none:
      return {splat(-infinity), splat(infinity), false};
    case Activation::relu:
      return {zero(), splat(infinity), false};
    case Activation::clip:
      return {splat(f.alpha), splat(f.beta), false};
    default:
      return {splat(-infinity), splat(infinity), true};
  }
}

SKIFF_INLINE Vec clamp(Vec v, const Bounds& bounds) {
  return at_most(at_least(v, bounds.low), bounds.high);
}

}  // namespace
}  // namespace skiff::cpu
