#pragma once

#include "runtime/cpu/isa/activation.h"
#include "runtime/cpu/isa/tile_rows.h"

// The product of gathered rows with packed panels: convolutions of any rank, and matrix products.
namespace skiff::cpu {
namespace {

template <int MR, int NV>
struct Accumulators {
  Vec at[MR][NV];
};

/// Memory that is wanted soon: the next panel, of which every tile fetches a part into the
/// second-level cache while it computes.
struct Ahead {
  static constexpr std::int64_t kEvery = 32;  ///< steps of k between two fetches
  const char* at = nullptr;
  int lines = 0;  ///< cache lines a fetch; 0: nothing is wanted

  SKIFF_INLINE void fetch() {
    for (int i = 0; i < lines; ++i, at += 64) __builtin_prefetch(at, 0, 2);
  }
};

template <int MR, int NV>
SKIFF_INLINE void accumulate_step(Accumulators<MR, NV>& acc, const float* const (&row)[MR],
                                  std::int64_t k, const float* panel) {
  Vec b[NV];
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) b[v] = load(panel + v * kLanes);
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
    const Vec value = splat(row[r][k]);
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc.at[r][v] = fma(value, b[v], acc.at[r][v]);
  }
}

/// Several steps of k a turn: the loop's own instructions, and the reloading of row pointers that
/// found no register, cost up to a fifth of the time. One vector has most pointers for its work.
template <int MR, int NV>
SKIFF_INLINE const float* accumulate_run(Accumulators<MR, NV>& acc, const float* const* from,
                                         std::int64_t k, std::int64_t k_end, std::int64_t k_stride,
                                         const float* panel) {
  constexpr int kSteps = NV == 1 ? 8 : 4, kWidth = NV * kLanes;
  const float* row[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) row[r] = from[r];
  if (k_stride == kWidth)
    for (; k + kSteps <= k_end; k += kSteps, panel += kSteps * kWidth) {
#pragma GCC unroll 8
      for (int i = 0; i < kSteps; ++i) accumulate_step<MR, NV>(acc, row, k + i, panel + i * kWidth);
    }
  for (; k < k_end; ++k, panel += k_stride) accumulate_step<MR, NV>(acc, row, k, panel);
  return panel;
}

template <int MR, int NV>
SKIFF_INLINE const float* accumulate(Accumulators<MR, NV>& acc, const float* const* from,
                                     std::int64_t k_count, std::int64_t k_stride,
                                     const float* panel, Ahead& ahead) {
  if (ahead.lines == 0) return accumulate_run<MR, NV>(acc, from, 0, k_count, k_stride, panel);
  for (std::int64_t k = 0; k < k_count; k += Ahead::kEvery) {
    const std::int64_t end = k + Ahead::kEvery < k_count ? k + Ahead::kEvery : k_count;
    ahead.fetch();
    panel = accumulate_run<MR, NV>(acc, from, k, end, k_stride, panel);
  }
  return panel;
}

/// Adds the residual; `last` are the lanes of the last vector. Apart from the stores: the output
/// may be the residual, and a load beside a store just made would wait for it.
template <int MR, int NV, typename Lanes>
SKIFF_INLINE void add_residual(const ConvArgs& a, const TileRows<float>& rows, std::int64_t column,
                               Accumulators<MR, NV>& acc, Lanes last) {
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
    const float* from = a.residual + rows.out[r] + column;
#pragma GCC unroll 4
    for (int v = 0; v < NV - 1; ++v) acc.at[r][v] = add(acc.at[r][v], load(from + v * kLanes));
    acc.at[r][NV - 1] = add(acc.at[r][NV - 1], load(from + (NV - 1) * kLanes, last));
  }
}

template <int MR, int NV, typename Lanes>
SKIFF_INLINE void finish_with(const ConvArgs& a, const TileRows<float>& rows, std::int64_t column,
                              const Bounds& bounds, Accumulators<MR, NV>& acc, Lanes last) {
  if (a.residual != nullptr) add_residual<MR, NV>(a, rows, column, acc, last);
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
    float* to = a.output + rows.out[r] + column;
#pragma GCC unroll 4
    for (int v = 0; v < NV - 1; ++v) store(to + v * kLanes, clamp(acc.at[r][v], bounds));
    store(to + (NV - 1) * kLanes, clamp(acc.at[r][NV - 1], bounds), last);
  }
}

/// Adds the residual, clamps and stores columns [column, column + columns) of the tile's rows.
template <int MR, int NV>
SKIFF_INLINE void finish(const ConvArgs& a, const TileRows<float>& rows, std::int64_t column,
                         std::int64_t columns, Accumulators<MR, NV>& acc) {
  const Bounds bounds = bounds_of(a.epilogue);
  if (columns < NV * kLanes)
    finish_with<MR, NV>(a, rows, column, bounds, acc, FirstLanes{columns - (NV - 1) * kLanes});
  else
    finish_with<MR, NV>(a, rows, column, bounds, acc, AllLanes{});
  if (!bounds.later) return;
  for (int r = 0; r < MR; ++r) {
    float* out = a.output + rows.out[r] + column;
    activate(a.epilogue, out, out, columns);
  }
}

template <int MR, int NV>
void tile(const ConvArgs& a, const TileRows<float>& rows, std::int64_t column, std::int64_t columns,
          const float* panel, Ahead& ahead) {
  const float* pointers[kTapChunk][MR];
  int taps = a.tap_count < kTapChunk ? a.tap_count : kTapChunk;
  if (!a.linear) gather<MR>(a, a.zeros, rows, 0, taps, pointers);
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
    accumulate<MR, NV>(acc, rows.base, a.k, k_stride, panel, ahead);
  } else {
    for (int first = 0;;) {
      for (int t = 0; t < taps; ++t)
        panel = accumulate<MR, NV>(acc, pointers[t], a.k, k_stride, panel, ahead);
      first += taps;
      if (first == a.tap_count) break;
      taps = a.tap_count - first < kTapChunk ? a.tap_count - first : kTapChunk;
      gather<MR>(a, a.zeros, rows, first, taps, pointers);
    }
  }
  finish<MR, NV>(a, rows, column, columns, acc);
}

using TileFunction = void (*)(const ConvArgs&, const TileRows<float>&, std::int64_t, std::int64_t,
                              const float*, Ahead&);

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

/// Weights that stay in the cache need no fetching.
constexpr std::int64_t kFetchedElements = 96 << 10;

/// How the tiles of rows [row_begin, row_end) fetch the panel behind this one: their share of it.
Ahead ahead_of(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end, int vectors,
               std::int64_t tiles, const float* panel) {
  const std::int64_t depth = a.k * a.tap_count;
  if (a.k_stride > 0 || a.k < Ahead::kEvery) return {};
  if (!a.streams && (depth * a.n < kFetchedElements || tiles < 2)) return {};
  const std::int64_t elements = depth * vectors * kLanes;
  const std::int64_t count = row_end - row_begin;
  const std::int64_t rows = a.rows > 0 ? a.rows : count, before = a.rows > 0 ? row_begin : 0;
  const std::int64_t lines = (elements / 16 * count + rows - 1) / rows;
  const std::int64_t fetches = tiles * a.tap_count * ((a.k + Ahead::kEvery - 1) / Ahead::kEvery);
  return {reinterpret_cast<const char*>(panel + elements) + elements * before / rows / 16 * 64,
          static_cast<int>((lines + fetches - 1) / fetches)};
}

/// One panel over all rows of the block.
void conv_panel(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end, int vectors,
                std::int64_t column, const float* panel) {
  const Spread spread(row_end - row_begin, kMaxRows[vectors]);
  const std::int64_t wide = vectors * static_cast<std::int64_t>(kLanes);
  const std::int64_t columns = a.n - column < wide ? a.n - column : wide;
  const TileFunction tall = choose_tile(vectors, spread.tallest());
  const TileFunction flat = choose_tile(vectors, spread.low);
  Ahead ahead = ahead_of(a, row_begin, row_end, vectors, spread.tiles, panel);
  each_tile(a, a.input, row_begin, spread, [&](const TileRows<float>& rows, int, bool is_tall) {
    (is_tall ? tall : flat)(a, rows, column, columns, panel, ahead);
  });
}

void conv_panels(const ConvArgs& a, std::int64_t row_begin, std::int64_t row_end,
                 std::int64_t panel_begin, std::int64_t panel_end) {
  if (row_begin >= row_end) return;
  // Elements from one column to the next one's panel.
  const std::int64_t depth = a.k_stride > 0 ? 1 : a.k * a.tap_count;
  each_panel(a, panel_begin, panel_end, [&](std::int64_t column, int vectors) {
    conv_panel(a, row_begin, row_end, vectors, column, a.weights + column * depth);
  });
}

}  // namespace
}  // namespace skiff::cpu
