#pragma once

#include "runtime/cpu/isa/activation.h"
#include "runtime/cpu/isa/halves.h"
#include "runtime/cpu/isa/tile_rows.h"

// The product of gathered rows with packed panels in float16.
//
// With u = 2^-11, a block of m products summed by fused multiply-adds from zero is wrong by at most
//   m u / (1 - m u) sum |x w| + m 2^-25
// (Higham, Accuracy and Stability of Numerical Algorithms, 3.1; the last term is what rounding to
// subnormal numbers adds): 1.6 % of sum |x w| for the kHalfBlock = 32 products here, were all
// rounded the same way; as they are not, about u sqrt(m / 6) of a result. Blocks are added up in
// float32. A block beyond 65504 in magnitude is infinite.
namespace skiff::cpu {
namespace {

/// Products that are summed in float16: more cost precision, fewer the time to bring their sums to
/// float32, about eight instructions a vector. Results of nine small networks were off by 1.6e-3
/// (relative L2, median) with blocks of 16 products, 2.2e-3 with 32 and 2.6e-3 with 64; by 0.6e-3
/// with single ones, where operands are rounded alone.
constexpr std::int64_t kHalfBlock = 32;
/// Rows of the tile with v vectors. Beside its sums and v vectors of a panel there lies a vector of
/// each row, in the lower half of the register file: no other can be multiplied by lane.
constexpr int kHalfRows[kMaxVectors + 1] = {0, 14, 8, 6, 4};

template <int MR, int NV>
struct HalfSums {
  HalfVec at[MR][NV];

  SKIFF_INLINE void clear() {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) at[r][v] = vdupq_n_f16(0);
  }

  /// Adds them to the float32 sums [MR][NV * kHalfLanes], and starts afresh.
  SKIFF_INLINE void move_to(float* sums) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) {
        float* to = sums + (r * NV + v) * kHalfLanes;
        vst1q_f32(to, vaddq_f32(vld1q_f32(to), vcvt_f32_f16(vget_low_f16(at[r][v]))));
        vst1q_f32(to + 4, vaddq_f32(vld1q_f32(to + 4), vcvt_high_f32_f16(at[r][v])));
      }
    clear();
  }
};

/// Number `Lane` of each row times as many of the panel.
template <int Lane, int MR, int NV>
SKIFF_INLINE void add_lane(HalfSums<MR, NV>& sums, const HalfVec (&x)[MR], const Half* panel) {
  HalfVec w[NV];
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) w[v] = load_halves(panel + (Lane * NV + v) * kHalfLanes);
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) sums.at[r][v] = fma_lane<Lane>(sums.at[r][v], w[v], x[r]);
}

/// Numbers [k, end) of every row times as many of the panel, whose end is returned.
template <int MR, int NV>
SKIFF_INLINE const Half* add_halves(HalfSums<MR, NV>& sums, const Half* const* rows, std::int64_t k,
                                    std::int64_t end, const Half* panel) {
  const Half* row[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) row[r] = rows[r];
#pragma GCC unroll 1
  for (; k + kHalfLanes <= end; k += kHalfLanes, panel += kHalfLanes * NV * kHalfLanes) {
    HalfVec x[MR];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) x[r] = load_halves(row[r] + k);
    add_lane<0>(sums, x, panel), add_lane<1>(sums, x, panel);
    add_lane<2>(sums, x, panel), add_lane<3>(sums, x, panel);
    add_lane<4>(sums, x, panel), add_lane<5>(sums, x, panel);
    add_lane<6>(sums, x, panel), add_lane<7>(sums, x, panel);
  }
#pragma GCC unroll 1
  for (; k < end; ++k, panel += NV * kHalfLanes) {
    HalfVec x[MR];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) x[r] = vreinterpretq_f16_u16(vld1q_dup_u16(row[r] + k));
    add_lane<0>(sums, x, panel);
  }
  return panel;
}

/// The results of `count` rows and `vectors` vectors of columns from their sums.
void finish_halves(const HalfArgs& a, const TileRows<Half>& rows, int count, std::int64_t column,
                   int vectors, const float* sums) {
  const std::int64_t wide = vectors * static_cast<std::int64_t>(kHalfLanes);
  const std::int64_t columns = a.n - column < wide ? a.n - column : wide;
  const Bounds bounds = bounds_of(a.epilogue);
  for (int r = 0; r < count; ++r) {
    const std::int64_t out = rows.out[r] + column;
    const auto put = [&](std::int64_t at, auto lanes) {
      Vec value = load(sums + r * wide + at);
      if (a.bias != nullptr) value = add(value, load(a.bias + column + at, lanes));
      if (a.residual != nullptr) value = add(value, load(a.residual + out + at, lanes));
      store(a.output + out + at, clamp(value, bounds), lanes);
    };
    std::int64_t at = 0;
    for (; at + kLanes <= columns; at += kLanes) put(at, AllLanes{});
    if (at < columns) put(at, FirstLanes{columns - at});
    if (bounds.later) activate(a.epilogue, a.output + out, a.output + out, columns);
  }
}

/// `count` of the tile's rows are stored; the others repeat the last one.
template <int MR, int NV>
void half_tile(const HalfArgs& a, const TileRows<Half>& rows, int count, std::int64_t column,
               const Half* panel) {
  float total[MR * NV * kHalfLanes] = {};
  HalfSums<MR, NV> sums;
  sums.clear();
  std::int64_t held = 0;  // products in them
  each_tap(a, a.zeros, rows, [&](const Half* const* tap) {
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < a.k; k += kHalfBlock) {
      const std::int64_t end = a.k - k < kHalfBlock ? a.k : k + kHalfBlock;
      if (held + end - k > kHalfBlock) sums.move_to(total), held = 0;
      panel = add_halves<MR, NV>(sums, tap, k, end, panel);
      held += end - k;
    }
  });
  sums.move_to(total);
  finish_halves(a, rows, count, column, NV, total);
}

struct HalfTiles {
  using Function = void (*)(const HalfArgs&, const TileRows<Half>&, int, std::int64_t, const Half*);
  static constexpr const int* kRows = kHalfRows;
  template <int MR, int NV>
  static constexpr Function tile = half_tile<MR, NV>;
};

void half_conv(const HalfArgs& a, std::int64_t row_begin, std::int64_t row_end,
               std::int64_t panel_begin, std::int64_t panel_end) {
  if (row_begin >= row_end) return;
  const std::int64_t depth = a.k * a.tap_count;
  each_panel<kHalfLanes>(a, panel_begin, panel_end, [&](std::int64_t column, int vectors) {
    each_tile_of<HalfTiles>(a, a.input, row_begin, row_end, vectors,
                            [&](HalfTiles::Function tile, const TileRows<Half>& rows, int height) {
                              tile(a, rows, height, column, a.weights + column * depth);
                            });
  });
}

}  // namespace
}  // namespace skiff::cpu
