#pragma once

#include "runtime/cpu/isa/activation.h"

// The product of gathered rows with packed panels: convolutions of any rank, and matrix products.
namespace skiff::cpu {
namespace {

constexpr int kMaxVectors = 4;
constexpr bool kManyRegisters = SKIFF_REGISTERS == 32;
/// Accumulators, panel vectors and the broadcast value fit the register file.
constexpr int kMaxRows[kMaxVectors + 1] = {0, kManyRegisters ? 14 : 12, kManyRegisters ? 12 : 6,
                                           kManyRegisters ? 8 : 4, kManyRegisters ? 6 : 3};
constexpr int kRowLimit = 14;
constexpr int kTapChunk = 32;

/// Where the rows of a tile start and end up.
struct TileRows {
  const float* base[kRowLimit];  ///< input at displacement 0; only dereferenced when inside
  std::int64_t out[kRowLimit];   ///< offset into output and residual
  std::int32_t z[kRowLimit], y[kRowLimit], x[kRowLimit];
};

void locate(const ConvArgs& a, std::int64_t row, int count, TileRows& rows) {
  std::int64_t rest = row / a.grid_w;
  std::int32_t x = static_cast<std::int32_t>(row - rest * a.grid_w);
  std::int64_t plane = rest / a.grid_h;
  std::int32_t y = static_cast<std::int32_t>(rest - plane * a.grid_h);
  std::int64_t b = plane / a.grid_d;
  std::int32_t z = static_cast<std::int32_t>(plane - b * a.grid_d);
  for (int r = 0; r < count; ++r) {
    rows.z[r] = z * a.step_z;
    rows.y[r] = y * a.step_y;
    rows.x[r] = x * a.step_x;
    rows.base[r] =
        a.input + b * a.in_batch + rows.z[r] * a.in_z + rows.y[r] * a.in_y + rows.x[r] * a.in_x;
    rows.out[r] = b * a.out_batch + z * a.out_z + y * a.out_y + x * a.out_x;
    if (++x < a.grid_w) continue;
    x = 0;
    if (++y < a.grid_h) continue;
    y = 0;
    if (++z < a.grid_d) continue;
    z = 0;
    ++b;
  }
}

void locate_linear(const ConvArgs& a, std::int64_t row, int count, TileRows& rows) {
  for (int r = 0; r < count; ++r) {
    rows.base[r] = a.input + (row + r) * a.in_x;
    rows.out[r] = (row + r) * a.out_x;
  }
}

/// Row pointers of `taps` taps from `first`, tap by tap.
template <int MR>
void gather(const ConvArgs& a, const TileRows& rows, int first, int taps,
            const float* (*pointers)[MR]) {
  for (int t = 0; t < taps; ++t) {
    const Tap tap = a.taps[first + t];
    for (int r = 0; r < MR; ++r) {
      const bool valid = inside(rows.y[r] + tap.y, a.in_h) & inside(rows.x[r] + tap.x, a.in_w) &
                         inside(rows.z[r] + tap.z, a.in_d);
      pointers[t][r] = valid ? rows.base[r] + tap.offset : a.zeros;
    }
  }
}

template <int MR, int NV>
struct Accumulators {
  Vec at[MR][NV];
};

template <int MR, int NV>
SKIFF_INLINE const float* accumulate(Accumulators<MR, NV>& acc, const float* const* from,
                                     std::int64_t k_count, std::int64_t k_stride,
                                     const float* panel) {
  const float* row[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) row[r] = from[r];
  for (std::int64_t k = 0; k < k_count; ++k) {
    Vec b[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) b[v] = load(panel + v * kLanes);
    panel += k_stride;
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const Vec value = splat(row[r][k]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc.at[r][v] = fma(value, b[v], acc.at[r][v]);
    }
  }
  return panel;
}

/// A row whose last columns are missing: from memory, vector by vector.
void finish_row(const ConvArgs& a, std::int64_t at, std::int64_t columns, const Bounds& bounds,
                const float* sums) {
  for (std::int64_t j = 0; j < columns; j += kLanes) {
    const FirstLanes lanes = lanes_before(j, columns);
    Vec value = load(sums + j);
    if (a.residual != nullptr) value = add(value, load(a.residual + at + j, lanes));
    store(a.output + at + j, clamp(value, bounds), lanes);
  }
}

template <bool Residual, int MR, int NV>
SKIFF_INLINE void finish_full(const ConvArgs& a, const TileRows& rows, std::int64_t column,
                              const Bounds& bounds, const Accumulators<MR, NV>& acc) {
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const std::int64_t at = rows.out[r] + column + v * kLanes;
      Vec value = acc.at[r][v];
      if constexpr (Residual) value = add(value, load(a.residual + at));
      store(a.output + at, clamp(value, bounds));
    }
}

/// Adds the residual, clamps and stores columns [column, column + columns) of the tile's rows.
template <int MR, int NV>
SKIFF_INLINE void finish(const ConvArgs& a, const TileRows& rows, std::int64_t column,
                         std::int64_t columns, const Accumulators<MR, NV>& acc) {
  const Bounds bounds = bounds_of(a.epilogue);
  if (columns < NV * kLanes) {
    float sums[MR][NV * kLanes];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) store(sums[r] + v * kLanes, acc.at[r][v]);
    for (int r = 0; r < MR; ++r) finish_row(a, rows.out[r] + column, columns, bounds, sums[r]);
  } else if (a.residual != nullptr) {
    finish_full<true, MR, NV>(a, rows, column, bounds, acc);
  } else {
    finish_full<false, MR, NV>(a, rows, column, bounds, acc);
  }
  if (!bounds.later) return;
  for (int r = 0; r < MR; ++r) {
    float* out = a.output + rows.out[r] + column;
    activate(a.epilogue, out, out, columns);
  }
}

template <int MR, int NV>
void tile(const ConvArgs& a, const TileRows& rows, std::int64_t column, std::int64_t columns,
          const float* panel) {
  const float* pointers[kTapChunk][MR];
  int taps = a.tap_count < kTapChunk ? a.tap_count : kTapChunk;
  if (!a.linear) gather<MR>(a, rows, 0, taps, pointers);
  Accumulators<MR, NV> acc;
  const std::int64_t k_stride = a.k_stride > 0 ? a.k_stride : NV * kLanes;
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) {
    const std::int64_t at = v * kLanes;
    const Vec start =
        a.bias == nullptr ? zero() : load(a.bias + column + at, lanes_before(at, columns));
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) acc.at[r][v] = start;
  }
  if (a.linear) {
    accumulate<MR, NV>(acc, rows.base, a.k, k_stride, panel);
  } else {
    for (int first = 0;;) {
      for (int t = 0; t < taps; ++t)
        panel = accumulate<MR, NV>(acc, pointers[t], a.k, k_stride, panel);
      first += taps;
      if (first == a.tap_count) break;
      taps = a.tap_count - first < kTapChunk ? a.tap_count - first : kTapChunk;
      gather<MR>(a, rows, first, taps, pointers);
    }
  }
  finish<MR, NV>(a, rows, column, columns, acc);
}

using TileFunction = void (*)(const ConvArgs&, const TileRows&, std::int64_t, std::int64_t,
                              const float*);

template <int NV, int MR>
SKIFF_INLINE TileFunction tile_with(int rows) {
  if constexpr (MR == 1) {
    return tile<1, NV>;
  } else {
    return rows == MR ? tile<MR, NV> : tile_with<NV, MR - 1>(rows);
  }
}

TileFunction choose_tile(int vectors, int rows) {
  switch (vectors) {
    case 1:
      return tile_with<1, kMaxRows[1]>(rows);
    case 2:
      return tile_with<2, kMaxRows[2]>(rows);
    case 3:
      return tile_with<3, kMaxRows[3]>(rows);
    default:
      return tile_with<4, kMaxRows[4]>(rows);
  }
}

/// One panel over all rows of the block, the rows spread evenly over the tiles.
void conv_panel(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end, int vectors,
                std::int64_t column, const float* panel) {
  const std::int64_t count = row_end - row_begin;
  const std::int64_t tiles = (count + kMaxRows[vectors] - 1) / kMaxRows[vectors];
  const std::int64_t wide = vectors * static_cast<std::int64_t>(kLanes);
  const std::int64_t columns = a.n - column < wide ? a.n - column : wide;
  const int low = static_cast<int>(count / tiles);
  const std::int64_t taller = count - low * tiles;
  const TileFunction tall = choose_tile(vectors, taller > 0 ? low + 1 : low);
  const TileFunction flat = choose_tile(vectors, low);
  TileRows rows;
  std::int64_t row = row_begin;
  for (std::int64_t i = 0; i < tiles; ++i) {
    const int height = i < taller ? low + 1 : low;
    if (a.linear)
      locate_linear(a, row, height, rows);
    else
      locate(a, row, height, rows);
    (i < taller ? tall : flat)(a, rows, column, columns, panel);
    row += height;
  }
}

void conv(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
          std::int64_t panel_end) {
  if (row_begin >= row_end) return;
  const std::int64_t wide = a.vectors * static_cast<std::int64_t>(kLanes);
  // Elements from one column to the next one's panel.
  const std::int64_t depth = a.k_stride > 0 ? 1 : a.k * a.tap_count;
  for (std::int64_t p = panel_begin; p < panel_end; ++p) {
    const std::int64_t column = p * wide;
    const std::int64_t left = (a.n - column + kLanes - 1) / kLanes;
    const int vectors = static_cast<int>(left < a.vectors ? left : a.vectors);
    conv_panel(a, row_begin, row_end, vectors, column, a.weights + column * depth);
  }
}

}  // namespace
}  // namespace skiff::cpu
