#pragma once

#include "runtime/cpu/isa/conv.h"

// Products with few columns, where panels would leave most lanes empty: vectors run along k, and
// the partial sums of a whole vector of results (rows times columns) are turned round at the end.
namespace skiff::cpu {
namespace {

/// A vector for each [row][column].
using NarrowSums = Square;

/// Lane i of the result is the sum over the lanes of vector i, in order.
SKIFF_INLINE Vec join_narrow(NarrowSums& sums) {
  ei::ptranspose(sums);
  Vec total = sums.packet[0];
  for (int i = 1; i < kLanes; ++i) total = add(total, sums.packet[i]);
  return total;
}

/// One vector of every row times the same of every column.
template <int N, typename Lanes>
SKIFF_INLINE void narrow_step(NarrowSums& sums, const float* const* from, std::int64_t at,
                              const float* weights, Lanes lanes) {
  Vec w[N];
#pragma GCC unroll 8
  for (int c = 0; c < N; ++c) w[c] = load(weights + c * kLanes);
#pragma GCC unroll 16
  for (int r = 0; r < kLanes / N; ++r) {
    const Vec x = load(from[r] + at, lanes);
#pragma GCC unroll 8
    for (int c = 0; c < N; ++c) sums.packet[r * N + c] = fma(x, w[c], sums.packet[r * N + c]);
  }
}

template <int N>
SKIFF_INLINE const float* narrow_tap(const ConvArgs& a, NarrowSums& sums, const float* const* from,
                                     const float* weights) {
  std::int64_t at = 0;
  for (; at + kLanes <= a.k; at += kLanes, weights += N * kLanes)
    narrow_step<N>(sums, from, at, weights, AllLanes{});
  if (at == a.k) return weights;
  narrow_step<N>(sums, from, at, weights, FirstLanes{a.k - at});
  return weights + N * kLanes;
}

/// Residual, activation, store of the first `count` rows.
template <int N>
void finish_narrow(const ConvArgs& a, const TileRows<float>& rows, int count, const Bounds& bounds,
                   Vec value) {
  float y[kLanes];
  if (a.residual != nullptr) {
    for (int r = 0; r < count; ++r)
      for (int c = 0; c < a.n; ++c) y[r * N + c] = a.residual[rows.out[r] + c];
    value = add(value, load(y));
  }
  store(y, clamp(value, bounds));
  if (bounds.later) activate(a.epilogue, y, y, kLanes);
  for (int r = 0; r < count; ++r)
    for (int c = 0; c < a.n; ++c) a.output[rows.out[r] + c] = y[r * N + c];
}

template <int N>
void narrow_tile(const ConvArgs& a, const TileRows<float>& rows, int count, const Bounds& bounds,
                 Vec start) {
  constexpr int kTall = kLanes / N;
  NarrowSums sums;
  for (int i = 0; i < kLanes; ++i) sums.packet[i] = zero();
  const float* weights = a.weights;
  if (a.linear) {
    narrow_tap<N>(a, sums, rows.base, weights);
  } else {
    const float* pointers[1][kTall];
    for (int t = 0; t < a.tap_count; ++t) {
      gather<kTall>(a, a.zeros, rows, t, 1, pointers);
      weights = narrow_tap<N>(a, sums, pointers[0], weights);
    }
  }
  const Vec value = add(start, join_narrow(sums));
  const bool dense = rows.one_line && a.out_x == N && count == kTall;
  if (dense && a.n == N && a.residual == nullptr && !bounds.later)
    store(a.output + rows.out[0], clamp(value, bounds));
  else
    finish_narrow<N>(a, rows, count, bounds, value);
}

template <int N>
void conv_narrow_of(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end) {
  constexpr int kTall = kLanes / N;
  const Bounds bounds = bounds_of(a.epilogue);
  float bias[kLanes];
  for (int i = 0; i < kLanes; ++i)
    bias[i] = a.bias != nullptr && i % N < a.n ? a.bias[i % N] : 0.0f;
  TileRows<float> rows;
  for (std::int64_t row = row_begin; row < row_end; row += kTall) {
    const int count = static_cast<int>(row_end - row < kTall ? row_end - row : kTall);
    if (a.linear)
      locate_linear(a, a.input, row, count, rows);
    else
      locate(a, a.input, row, count, rows);
    for (int r = count; r < kTall; ++r) {  // the last one again
      rows.z[r] = rows.z[count - 1], rows.y[r] = rows.y[count - 1], rows.x[r] = rows.x[count - 1];
      rows.base[r] = rows.base[count - 1];
    }
    narrow_tile<N>(a, rows, count, bounds, load(bias));
  }
}

void conv_narrow(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end) {
  if (a.narrow == 1) return conv_narrow_of<1>(a, row_begin, row_end);
  if (a.narrow == 2) return conv_narrow_of<2>(a, row_begin, row_end);
  return conv_narrow_of<4>(a, row_begin, row_end);
}

void conv(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
          std::int64_t panel_end) {
  if (a.narrow > 0) return conv_narrow(a, row_begin, row_end);
  conv_panels(a, row_begin, row_end, panel_begin, panel_end);
}

}  // namespace
}  // namespace skiff::cpu
