#pragma once

#include "runtime/cpu/isa/simd.h"

// Which rows a tile of a product reads and writes, whatever its elements are.
namespace skiff::cpu {
namespace {

constexpr int kMaxVectors = 4;
constexpr bool kManyRegisters = SKIFF_REGISTERS == 32;
/// Accumulators, panel vectors and the broadcast value fit the register file.
constexpr int kMaxRows[kMaxVectors + 1] = {0, kManyRegisters ? 14 : 12, kManyRegisters ? 12 : 6,
                                           kManyRegisters ? 8 : 4, kManyRegisters ? 6 : 3};
constexpr int kRowLimit = 16;
constexpr int kTapChunk = 32;

/// Where the rows of a tile start and end up.
template <typename T>
struct TileRows {
  const T* base[kRowLimit];     ///< input at displacement 0; only dereferenced when inside
  std::int64_t out[kRowLimit];  ///< offset into output and residual
  std::int32_t z[kRowLimit], y[kRowLimit], x[kRowLimit];
  bool one_line;  ///< all in one line of the grid
};

/// Rows of one line of the grid differ in x alone.
struct GridPoint {
  std::int64_t b;
  std::int32_t z, y, x;

  GridPoint(const RowGrid& a, std::int64_t row) {
    std::int64_t rest = row / a.grid_w;
    x = static_cast<std::int32_t>(row - rest * a.grid_w);
    const std::int64_t plane = rest / a.grid_h;
    y = static_cast<std::int32_t>(rest - plane * a.grid_h);
    b = plane / a.grid_d;
    z = static_cast<std::int32_t>(plane - b * a.grid_d);
  }
  void next_line(const RowGrid& a) {
    x = 0;
    if (++y < a.grid_h) return;
    y = 0;
    if (++z < a.grid_d) return;
    z = 0;
    ++b;
  }
};

/// The rows [at, at + count) of the tile, which start at p and stay in its line.
template <typename T>
SKIFF_INLINE void locate_line(const RowGrid& a, const T* input, const GridPoint& p, int at,
                              int count, TileRows<T>& rows) {
  const std::int32_t z = p.z * a.step_z, y = p.y * a.step_y, x = p.x * a.step_x;
  const T* base = input + p.b * a.in_batch + z * a.in_z + y * a.in_y + x * a.in_x;
  const std::int64_t out = p.b * a.out_batch + p.z * a.out_z + p.y * a.out_y + p.x * a.out_x;
  const std::int64_t step = a.step_x * a.in_x;
  for (int r = 0; r < count; ++r) {
    rows.z[at + r] = z;
    rows.y[at + r] = y;
    rows.x[at + r] = x + r * a.step_x;
    rows.base[at + r] = base + r * step;
    rows.out[at + r] = out + r * a.out_x;
  }
}

/// Not inlined: a copy in each loop over tiles would take more room than the loop itself.
template <typename T>
__attribute__((noinline)) void locate(const RowGrid& a, const T* input, std::int64_t row, int count,
                                      TileRows<T>& rows) {
  GridPoint p(a, row);
  int at = 0;
  for (; count - at > a.grid_w - p.x; p.next_line(a)) {
    const int here = a.grid_w - p.x;
    locate_line(a, input, p, at, here, rows);
    at += here;
  }
  locate_line(a, input, p, at, count - at, rows);
  rows.one_line = at == 0;
}

template <typename T>
void locate_linear(const RowGrid& a, const T* input, std::int64_t row, int count,
                   TileRows<T>& rows) {
  for (int r = 0; r < count; ++r) {
    rows.base[r] = input + (row + r) * a.in_x;
    rows.out[r] = (row + r) * a.out_x;
  }
  rows.one_line = true;
}

template <int MR, typename T>
SKIFF_INLINE void displace(const TileRows<T>& rows, std::int64_t offset, const T** pointers) {
  for (int r = 0; r < MR; ++r) pointers[r] = rows.base[r] + offset;
}

/// The rows that a tile lacks are its last one.
template <typename T>
void repeat_last(TileRows<T>& rows, int count) {
  for (int r = count; r < kRowLimit; ++r) {
    rows.base[r] = rows.base[count - 1];
    rows.z[r] = rows.z[count - 1], rows.y[r] = rows.y[count - 1], rows.x[r] = rows.x[count - 1];
  }
}

/// Row pointers of `taps` taps from `first`, tap by tap. `outside` is the row that stands for
/// padding; null where no tap leaves the input.
template <int MR, typename T>
void gather(const RowGrid& a, const T* outside, const TileRows<T>& rows, int first, int taps,
            const T* (*pointers)[MR]) {
  for (int t = 0; t < taps; ++t) {
    const Tap tap = a.taps[first + t];
    const bool all_inside =
        outside == nullptr ||
        (rows.one_line && inside(rows.y[0] + tap.y, a.in_h) && inside(rows.z[0] + tap.z, a.in_d) &&
         rows.x[0] + tap.x >= 0 && rows.x[MR - 1] + tap.x < a.in_w);
    if (all_inside) {
      displace<MR>(rows, tap.offset, pointers[t]);
      continue;
    }
    for (int r = 0; r < MR; ++r) {
      const bool valid = inside(rows.y[r] + tap.y, a.in_h) & inside(rows.x[r] + tap.x, a.in_w) &
                         inside(rows.z[r] + tap.z, a.in_d);
      pointers[t][r] = valid ? rows.base[r] + tap.offset : outside;
    }
  }
}

/// Calls f(pointers to the kRowLimit rows of a tap) for all taps in their order; `outside` as
/// gather() has it. All tiles of a kind share one gather() so.
template <typename T, typename F>
SKIFF_INLINE void each_tap(const RowGrid& a, const T* outside, const TileRows<T>& rows, F f) {
  const T* pointers[kTapChunk][kRowLimit];
  for (int first = 0; first < a.tap_count; first += kTapChunk) {
    const int taps = a.tap_count - first < kTapChunk ? a.tap_count - first : kTapChunk;
    if (a.linear)
      displace<kRowLimit>(rows, 0, pointers[0]);
    else
      gather<kRowLimit>(a, outside, rows, first, taps, pointers);
#pragma GCC unroll 1
    for (int t = 0; t < taps; ++t) f(pointers[t]);
  }
}

/// Rows spread evenly over as few tiles as hold them: the first `taller` tiles have one row more
/// than the others.
struct Spread {
  std::int64_t tiles, taller;
  int low;

  Spread(std::int64_t rows, int most) : tiles((rows + most - 1) / most) {
    low = static_cast<int>(rows / tiles);
    taller = rows - low * tiles;
  }
  int tallest() const { return taller > 0 ? low + 1 : low; }
};

/// Calls f(tile's rows, their number, whether it is one of the taller tiles) from row `begin` on.
template <typename T, typename F>
SKIFF_INLINE void each_tile(const RowGrid& a, const T* input, std::int64_t begin,
                            const Spread& spread, F f) {
  TileRows<T> rows;
  std::int64_t row = begin;
  for (std::int64_t i = 0; i < spread.tiles; ++i) {
    const bool tall = i < spread.taller;
    const int height = tall ? spread.low + 1 : spread.low;
    if (a.linear)
      locate_linear(a, input, row, height, rows);
    else
      locate(a, input, row, height, rows);
    f(rows, height, tall);
    row += height;
  }
}

/// The least of a kind's tiles with NV vectors that holds so many rows: of kRows[NV] rows or two
/// less each time, down to two and one. `Kind::tile<MR, NV>` is one's function.
template <typename Kind, int NV, int MR = Kind::kRows[NV]>
typename Kind::Function tile_for(int rows) {
  if constexpr (MR > 2) {
    constexpr int kLess = MR % 2 == 0 ? MR - 2 : MR - 1;
    return rows > kLess ? Kind::template tile<MR, NV> : tile_for<Kind, NV, kLess>(rows);
  } else if constexpr (MR == 2) {
    return rows > 1 ? Kind::template tile<2, NV> : Kind::template tile<1, NV>;
  } else {
    return Kind::template tile<1, NV>;
  }
}

template <typename Kind>
typename Kind::Function tile_for(int vectors, int rows) {
  switch (vectors) {
    case 1:
      return tile_for<Kind, 1>(rows);
    case 2:
      return tile_for<Kind, 2>(rows);
    case 3:
      return tile_for<Kind, 3>(rows);
    default:
      return tile_for<Kind, 4>(rows);
  }
}

/// All rows [begin, end) of a panel by tiles of a kind, which compute kRowLimit rows and store as
/// many as are there: f(tile, rows, their number).
template <typename Kind, typename T, typename F>
SKIFF_INLINE void each_tile_of(const RowGrid& a, const T* input, std::int64_t begin,
                               std::int64_t end, int vectors, F f) {
  const Spread spread(end - begin, Kind::kRows[vectors]);
  const typename Kind::Function tall = tile_for<Kind>(vectors, spread.tallest());
  const typename Kind::Function flat = tile_for<Kind>(vectors, spread.low);
  each_tile(a, input, begin, spread, [&](TileRows<T>& rows, int height, bool is_tall) {
    repeat_last(rows, height);
    f(is_tall ? tall : flat, rows, height);
  });
}

/// Calls f(first column, vectors) for each panel; the last one may be narrower.
template <int Lanes = kLanes, typename F>
SKIFF_INLINE void each_panel(const RowGrid& a, std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t wide = a.vectors * static_cast<std::int64_t>(Lanes);
  for (std::int64_t p = begin; p < end; ++p) {
    const std::int64_t left = (a.n - p * wide + Lanes - 1) / Lanes;
    f(p * wide, static_cast<int>(left < a.vectors ? left : a.vectors));
  }
}

}  // namespace
}  // namespace skiff::cpu
