#pragma once

#include <cstdint>

#include "runtime/core/checked.h"

namespace skiff {

/// Weights of a depthwise convolution as the kernels take them: [C / lanes][taps][lanes], missing
/// channels zero, followed by a row of zeros for padding. In elements.
struct DepthwiseWeights {
  std::int64_t channels = 0, taps = 0, lanes = 1;

  std::int64_t padded_channels() const noexcept { return round_up(channels, lanes); }
  /// Of as many channels as a vector has lanes: what packing reads at once.
  std::int64_t block_elements() const noexcept { return taps * lanes; }
  std::int64_t zeros() const noexcept { return taps * padded_channels(); }
  std::int64_t elements() const noexcept { return zeros() + padded_channels(); }

  /// One channel's taps.
  void put(std::int64_t channel, const float* row, float* to) const noexcept {
    float* block = to + channel / lanes * taps * lanes + channel % lanes;
    for (std::int64_t t = 0; t < taps; ++t) block[t * lanes] = row[t];
  }
};

}  // namespace skiff
