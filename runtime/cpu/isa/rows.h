#pragma once

#include "runtime/cpu/isa/activation.h"
#include "runtime/cpu/row_table.h"

// Elementwise functions and folds over rows of floats (row_table.h).
namespace skiff::cpu {
namespace {

/// exp that is 0 where its result would be less than the smallest normal number.
SKIFF_INLINE Vec exp_or_zero(Vec x) {
  return ei::pselect(ei::pcmp_lt(x, splat(-87.336544f)), zero(), exp_of(x));
}
/// Correctly rounded; Eigen's may be an approximation.
SKIFF_INLINE Vec sqrt_of(Vec x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX__)
  return _mm256_sqrt_ps(x);
#elif defined(__SSE2__)
  return _mm_sqrt_ps(x);
#else
  return vsqrtq_f32(x);
#endif
}

/// f(i, lanes) for every vector of a row, the last one perhaps in part.
template <typename F>
SKIFF_INLINE void each_vector(std::int64_t count, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) f(i, AllLanes{});
  if (i < count) f(i, FirstLanes{count - i});
}

template <RowUnary F>
SKIFF_INLINE Vec row_unary(Vec x) {
  using enum RowUnary;
  if constexpr (F == abs) return ei::pabs(x);
  if constexpr (F == neg) return negate(x);
  if constexpr (F == exp) return exp_or_zero(x);
  if constexpr (F == log) return ei::plog(x);
  if constexpr (F == sqrt) return sqrt_of(x);
  if constexpr (F == rsqrt) return div(splat(1), sqrt_of(x));
  if constexpr (F == reciprocal) return div(splat(1), x);
  if constexpr (F == square) return mul(x, x);
  if constexpr (F == floor) return ei::pfloor(x);
  if constexpr (F == ceil) return ei::pceil(x);
  if constexpr (F == round) return ei::print(x);
  if constexpr (F == erf) return ei::pselect(ei::pcmp_eq(x, x), erf_of(x), x);
  if constexpr (F == sin) return ei::psin(x);
  if constexpr (F == cos) return ei::pcos(x);
  return x;
}

template <RowUnary F>
void unary_row(const float* x, float* y, std::int64_t count) {
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        store(y + i, row_unary<F>(load(x + i, lanes)), lanes);
      });
}

template <RowBinary F>
SKIFF_INLINE Vec row_binary(Vec a, Vec b) {
  using enum RowBinary;
  if constexpr (F == sub) return skiff::cpu::sub(a, b);
  if constexpr (F == mul) return skiff::cpu::mul(a, b);
  if constexpr (F == div) return skiff::cpu::div(a, b);
  if constexpr (F == minimum) return lowest_nan(a, b);
  if constexpr (F == maximum) return largest_nan(a, b);
  if constexpr (F == squared_difference) {
    const Vec d = skiff::cpu::sub(a, b);
    return skiff::cpu::mul(d, d);
  }
  if constexpr (F == prelu) return select_less(a, zero(), skiff::cpu::mul(a, b), a);
  return skiff::cpu::add(a, b);
}

template <RowBinary F>
void binary_row(const float* a, std::int64_t step_a, const float* b, std::int64_t step_b, float* y,
                std::int64_t count) {
  if (count == 0) return;
  const Vec all_a = splat(*a), all_b = splat(*b);
  if (step_a != 0 && step_b != 0) {
    each_vector(
        count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
          store(y + i, row_binary<F>(load(a + i, lanes), load(b + i, lanes)), lanes);
        });
  } else if (step_a != 0) {
    each_vector(
        count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
          store(y + i, row_binary<F>(load(a + i, lanes), all_b), lanes);
        });
  } else {
    each_vector(
        count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
          store(y + i, row_binary<F>(all_a, step_b != 0 ? load(b + i, lanes) : all_b), lanes);
        });
  }
}

void scale_shift(const float* x, const float* scale, const float* bias, float* y,
                 std::int64_t count) {
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        store(y + i, fma(load(x + i, lanes), load(scale + i, lanes), load(bias + i, lanes)), lanes);
      });
}

void normalize(const float* x, float* y, std::int64_t count, float mean, float factor,
               const float* scale, const float* bias) {
  const Vec m = splat(mean), f = splat(factor);
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        Vec v = mul(sub(load(x + i, lanes), m), f);
        if (scale != nullptr) v = mul(v, load(scale + i, lanes));
        if (bias != nullptr) v = add(v, load(bias + i, lanes));
        store(y + i, v, lanes);
      });
}

void weighted_sum(const float* const* rows, const float* weights, std::int64_t taps, float* y,
                  std::int64_t count, bool accumulate) {
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        Vec total = accumulate ? load(y + i, lanes) : zero();
        for (std::int64_t t = 0; t < taps; ++t)
          total = fma(splat(weights[t]), load(rows[t] + i, lanes), total);
        store(y + i, total, lanes);
      });
}

template <int Taps, typename Lanes>
SKIFF_INLINE Vec weighted_vector(const float* x, const std::int64_t* indices, const float* weights,
                                 std::int64_t taps, std::int64_t count, Lanes lanes) {
  Vec total = mul(splat(weights[0]), load(x + indices[0] * count, lanes));
  for (std::int64_t t = 1; t < (Taps > 0 ? Taps : taps); ++t)
    total = fma(splat(weights[t]), load(x + indices[t] * count, lanes), total);
  return total;
}

template <int Taps>
void weighted_rows_of(const float* x, const std::int64_t* indices, const float* weights,
                      std::int64_t taps, std::int64_t outputs, std::int64_t count, float* y) {
  for (std::int64_t o = 0; o < outputs; ++o, indices += taps, weights += taps, y += count)
    each_vector(
        count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
          store(y + i, weighted_vector<Taps>(x + i, indices, weights, taps, count, lanes), lanes);
        });
}

void weighted_rows(const float* x, const std::int64_t* indices, const float* weights,
                   std::int64_t taps, std::int64_t outputs, std::int64_t count, float* y) {
  if (taps == 2) return weighted_rows_of<2>(x, indices, weights, 2, outputs, count, y);
  weighted_rows_of<0>(x, indices, weights, taps, outputs, count, y);
}

void pad_rows(const float* x, std::int64_t rows, std::int64_t count, float value, float* y,
              std::int64_t pitch) {
  const Vec rest = splat(value);
  for (std::int64_t r = 0; r < rows; ++r, x += count, y += pitch) {
    each_vector(
        count, [=](std::int64_t i, auto lanes)
                   __attribute__((always_inline)) { store(y + i, load(x + i, lanes), lanes); });
    each_vector(
        pitch - count, [=](std::int64_t i, auto lanes)
                           __attribute__((always_inline)) { store(y + count + i, rest, lanes); });
  }
}

}  // namespace
}  // namespace skiff::cpu
