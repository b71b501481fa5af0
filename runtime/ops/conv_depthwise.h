#pragma once

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/conv.h"

namespace skiff {

/// Weights of a depthwise convolution as the kernels take them: [C / lanes][taps][lanes], missing
/// channels zero, followed by a row of zeros for padding. In elements.
struct DepthwiseWeights {
  std::int64_t channels = 0, taps = 0, lanes = 1;

  std::int64_t padded_channels() const noexcept { return round_up(channels, lanes); }
  std::int64_t zeros() const noexcept { return taps * padded_channels(); }
  std::int64_t elements() const noexcept { return zeros() + padded_channels(); }

  /// One channel's taps.
  void put(std::int64_t channel, const float* row, float* to) const noexcept {
    float* block = to + channel / lanes * taps * lanes + channel % lanes;
    for (std::int64_t t = 0; t < taps; ++t) block[t * lanes] = row[t];
  }
};

/// The window of all images; pointers and epilogue are the caller's.
cpu::WindowArgs depthwise_window(const ConvGeometry& geometry) noexcept;

/// The same as if the images were one of `count` rows from row `first` on, and the result `rows`
/// rows from row `row` on.
cpu::WindowArgs window_of_rows(cpu::WindowArgs window, std::int64_t first, std::int64_t count,
                               std::int64_t row, std::int64_t rows) noexcept;

}  // namespace skiff
