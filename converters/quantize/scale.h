#pragma once

#include <cstdint>
#include <span>

#include "converters/quantize/histogram.h"

namespace skiff::quantize {

/// A tensor in 8 bits: real = scale * (stored - zero), stored in [0, 255]. 0.0 is stored as `zero`,
/// exactly.
struct Scale {
  float scale = 1;
  std::uint8_t zero = 0;

  /// What a number is after it was stored: the nearest that can be.
  double stored(double x) const noexcept;
};

/// The scale by which 256 steps reach from `low` to `high`, both widened to 0. Its zero is rounded
/// to a step, so that either end may move by half of one.
Scale scale_of(double low, double high) noexcept;

/// Sum over the bins of count * (mean - what the mean is after quantising it)^2.
double squared_error(std::span<const Histogram::Bin> bins, const Scale& scale) noexcept;

/// The scale with the least squared_error() among those of ranges within the histogram's own: fewer
/// numbers are cut off in a wide range, all others are rounded more finely in a narrow one. The
/// ends are tried in turn, each in steps of a hundredth.
Scale best_scale(const Histogram& histogram);

}  // namespace skiff::quantize
