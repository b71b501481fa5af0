#pragma once

#include "runtime/cpu/isa/integers.h"
#include "runtime/cpu/isa/tile_rows.h"

// The product of gathered rows of 8-bit integers with packed panels.
namespace skiff::cpu {
namespace {

template <int MR, int NV>
struct IntegerSums {
  IVec at[MR][NV];
};

/// Numbers of a row that are brought into the form of factors at a time.
constexpr std::int64_t kFactorChunk = 256;

/// Groups [0, groups) of every row times as many of the panel, whose end is returned.
template <int MR, int NV>
SKIFF_INLINE const Factor* add_products(IntegerSums<MR, NV>& sums, const Factor* const* rows,
                                        std::int64_t groups, const Factor* panel) {
  const Factor* row[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) row[r] = rows[r];
#pragma GCC unroll 1
  for (std::int64_t g = 0; g < groups; ++g, panel += NV * kLanes * kGroup) {
    IVec w[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) w[v] = load_integers(panel + v * kLanes * kGroup);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const IVec x = splat_group(row[r] + g * kGroup);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sums.at[r][v] = multiply(sums.at[r][v], x, w[v]);
    }
  }
  return panel;
}

/// Numbers of the input as factors, followed by zeros up to a whole group.
__attribute__((noinline)) void to_factors(const IntegerArgs& a, const std::uint8_t* from,
                                          std::int64_t count, Factor* to) {
  if constexpr (kGroup == 4) {
    const int flip = (a.is_signed ? kInt8Offset : kUint8Offset) & 0x80;
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<Factor>(from[i] ^ flip);
  } else if (a.is_signed) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::int8_t>(from[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
  }
  for (std::int64_t i = count; i % kGroup != 0; ++i) to[i] = 0;
}

/// Rows can be read in place where numbers lie as factors do.
SKIFF_INLINE bool lie_as_factors(const IntegerArgs& a) {
  return a.as_factors ||
         (kGroup == 4 && (a.is_signed ? kInt8Offset : kUint8Offset) == 0 && a.k % kGroup == 0);
}

/// The k numbers of a tap: in place, or a chunk at a time as factors.
template <int MR, int NV>
SKIFF_INLINE const Factor* add_tap(const IntegerArgs& a, bool in_place, IntegerSums<MR, NV>& sums,
                                   const std::uint8_t* const* rows, const Factor* panel) {
  Factor factors[MR][kFactorChunk];
  const Factor* pointers[MR];
  const std::int64_t chunk = in_place ? a.k : kFactorChunk;
#pragma GCC unroll 1
  for (std::int64_t k = 0; k < a.k; k += chunk) {
    const std::int64_t count = a.k - k < chunk ? a.k - k : chunk;
    for (int r = 0; r < MR; ++r) {
      pointers[r] = in_place ? reinterpret_cast<const Factor*>(rows[r]) : factors[r];
      if (!in_place) to_factors(a, rows[r] + k, count, factors[r]);
    }
    panel = add_products<MR, NV>(sums, pointers, (count + kGroup - 1) / kGroup, panel);
  }
  return panel;
}

/// The results of `count` rows and `vectors` vectors of columns from their sums.
void finish_integers(const IntegerArgs& a, const TileRows<std::uint8_t>& rows, int count,
                     std::int64_t column, int vectors, const std::int32_t* sums) {
  const std::int64_t wide = vectors * static_cast<std::int64_t>(kLanes);
  for (int v = 0; v < vectors; ++v) {
    const std::int64_t at = column + v * kLanes;
    const FirstLanes lanes = lanes_before(at, a.n);
    const Scaling scaling(a.result, at, lanes);
    for (int r = 0; r < count; ++r) {
      const IVec sum = load_integers(sums + r * wide + v * kLanes);
      put_result(a.result, scaling.apply(to_float(sum)), a.output, rows.out[r] + at, lanes);
    }
  }
  if (a.result.bytes || !bounds_of(a.result.epilogue).later) return;
  const std::int64_t columns = a.n - column < wide ? a.n - column : wide;
  for (int r = 0; r < count; ++r) {
    float* values = static_cast<float*>(a.output) + rows.out[r] + column;
    activate(a.result.epilogue, values, values, columns);
  }
}

/// `count` of the tile's rows are stored; the others repeat the last one.
template <int MR, int NV>
void integer_tile(const IntegerArgs& a, const TileRows<std::uint8_t>& rows, int count,
                  std::int64_t column, const Factor* panel) {
  IntegerSums<MR, NV> sums;
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) {
    const IVec start = load_integers(a.starts + column + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) sums.at[r][v] = start;
  }
  const bool in_place = lie_as_factors(a);
  each_tap(a, a.padding, rows, [&](const std::uint8_t* const* tap) {
    panel = add_tap<MR, NV>(a, in_place, sums, tap, panel);
  });
  std::int32_t stored[MR * NV * kLanes];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) store_integers(stored + (r * NV + v) * kLanes, sums.at[r][v]);
  finish_integers(a, rows, count, column, NV, stored);
}

struct IntegerTiles {
  using Function = void (*)(const IntegerArgs&, const TileRows<std::uint8_t>&, int, std::int64_t,
                            const Factor*);
  static constexpr const int* kRows = kMaxRows;
  template <int MR, int NV>
  static constexpr Function tile = integer_tile<MR, NV>;
};

/// Not inlined: its two callers would each have a copy of what finds rows, which is most of it.
__attribute__((noinline)) void integer_panels(const IntegerArgs& a, std::int64_t row_begin,
                                              std::int64_t row_end, std::int64_t panel_begin,
                                              std::int64_t panel_end) {
  const std::int64_t depth = (a.k + kGroup - 1) / kGroup * a.tap_count;
  each_panel(a, panel_begin, panel_end, [&](std::int64_t column, int vectors) {
    const Factor* panel = static_cast<const Factor*>(a.weights) + column * depth * kGroup;
    each_tile_of<IntegerTiles>(a, a.input, row_begin, row_end, vectors,
                               [&](IntegerTiles::Function tile, const TileRows<std::uint8_t>& rows,
                                   int height) { tile(a, rows, height, column, panel); });
  });
}

/// Factors of the rows that all panels multiply in turn: a part of the first-level cache.
constexpr std::int64_t kBlockFactors = 16384 / static_cast<std::int64_t>(sizeof(Factor));

/// Rows that follow each other are brought into the form of factors once for all panels.
__attribute__((noinline)) void integer_blocks(const IntegerArgs& a, std::int64_t row_begin,
                                              std::int64_t row_end, std::int64_t most_rows,
                                              std::int64_t panel_begin, std::int64_t panel_end) {
  alignas(64) Factor factors[kBlockFactors];
  const std::int64_t wide = (a.k + kGroup - 1) / kGroup * kGroup;
  const std::int64_t element = a.result.bytes ? 1 : sizeof(float);
  IntegerArgs block = a;
  block.as_factors = true;
  block.input = reinterpret_cast<const std::uint8_t*>(factors);
  block.in_x = wide * static_cast<std::int64_t>(sizeof(Factor));
  for (std::int64_t row = row_begin; row < row_end; row += most_rows) {
    const std::int64_t rows = row_end - row < most_rows ? row_end - row : most_rows;
    const std::uint8_t* from = a.input + row * a.in_x;
    if (wide == a.in_x) {
      to_factors(a, from, rows * wide, factors);
    } else {
      for (std::int64_t r = 0; r < rows; ++r)
        to_factors(a, from + r * a.in_x, a.k, factors + r * wide);
    }
    block.output = static_cast<std::byte*>(a.output) + row * a.out_x * element;
    integer_panels(block, 0, rows, panel_begin, panel_end);
  }
}

void integer_conv(const IntegerArgs& a, std::int64_t row_begin, std::int64_t row_end,
                  std::int64_t panel_begin, std::int64_t panel_end) {
  if (row_begin >= row_end) return;
  const std::int64_t tile = kMaxRows[a.vectors];
  const std::int64_t tiles = kBlockFactors / (a.k + kGroup) / tile;
  if (a.linear && !lie_as_factors(a) && tiles > 0)
    return integer_blocks(a, row_begin, row_end, tiles * tile, panel_begin, panel_end);
  integer_panels(a, row_begin, row_end, panel_begin, panel_end);
}

constexpr IntegerTable kIntegers = {
    .group = kGroup,
    .bytes = sizeof(Factor),
    .int8_offset = kInt8Offset,
    .uint8_offset = kUint8Offset,
    .conv = integer_conv,
};

}  // namespace
}  // namespace skiff::cpu
