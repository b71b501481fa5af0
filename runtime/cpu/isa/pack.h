#pragma once

#include "runtime/cpu/isa/simd.h"

namespace skiff::cpu {
namespace {

void pack_rows(const float* from, std::int64_t k_stride, std::int64_t k, std::int64_t columns,
               std::int64_t padded, std::int64_t width, float scale, float* to) {
  const Vec factor = splat(scale);
  for (std::int64_t i = 0; i < k; ++i, from += k_stride, to += width)
    for (std::int64_t j = 0; j < padded; j += kLanes) {
      store(to + j, mul(factor, load(from + j, lanes_before(j, columns))));
    }
}

/// Columns that are dense in memory: turned round a square at a time.
void pack_columns(const float* from, std::int64_t column_stride, std::int64_t k,
                  std::int64_t columns, std::int64_t padded, std::int64_t width, float scale,
                  float* to) {
  const Vec factor = splat(scale);
  for (std::int64_t j = 0; j < padded; j += kLanes)
    for (std::int64_t i = 0; i < k; i += kLanes) {
      const FirstLanes lanes = lanes_before(i, k);
      Square square;
      for (int c = 0; c < kLanes; ++c)
        square.packet[c] =
            j + c < columns ? load(from + (j + c) * column_stride + i, lanes) : zero();
      Eigen::internal::ptranspose(square);
      for (int r = 0; r < lanes.count; ++r)
        store(to + (i + r) * width + j, mul(factor, square.packet[r]));
    }
}

void pack_panel(const float* from, std::int64_t k_stride, std::int64_t column_stride,
                std::int64_t k, std::int64_t columns, std::int64_t padded, std::int64_t width,
                float scale, float* to) {
  if (column_stride == 1) return pack_rows(from, k_stride, k, columns, padded, width, scale, to);
  if (k_stride == 1) return pack_columns(from, column_stride, k, columns, padded, width, scale, to);
  // Blocks of k that stay in the first-level cache while every column is walked through.
  constexpr std::int64_t kBlock = 64;
  for (std::int64_t start = 0; start < k; start += kBlock) {
    const std::int64_t stop = start + kBlock < k ? start + kBlock : k;
    for (std::int64_t j = 0; j < padded; ++j) {
      const float* column = from + j * column_stride;
      if (j < columns)
        for (std::int64_t i = start; i < stop; ++i)
          to[i * width + j] = scale * column[i * k_stride];
      else
        for (std::int64_t i = start; i < stop; ++i) to[i * width + j] = 0;
    }
  }
}

}  // namespace
}  // namespace skiff::cpu
