#pragma once

#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

/// How one axis is resized: everything that places output indices in the input.
struct ResizeAxis {
  fb::ResizeMode mode = fb::ResizeMode::nearest;
  fb::CoordinateMode coordinates = fb::CoordinateMode::half_pixel;
  fb::NearestMode nearest = fb::NearestMode::round_prefer_floor;
  std::int64_t in = 0;
  std::int64_t out = 0;
  double scale = 1;
  double roi_start = 0, roi_end = 1;  ///< tf_crop_and_resize, as parts of the input
  double cubic_a = -0.75;
  bool exclude_outside = false;
  bool antialias = false;

  /// Output equals input.
  bool identity() const noexcept;
  /// Input elements that decide one output element, at most.
  std::int64_t taps() const noexcept;
  /// Where output index o lies in the input, in units of input elements.
  double position(std::int64_t o) const noexcept;
  /// tf_crop_and_resize: the position lies beyond the input, the result is the extrapolation value.
  bool outside(double position) const noexcept;
  /// nearest: the input index.
  std::int64_t nearest_index(std::int64_t o) const noexcept;
  /// linear, cubic: taps() pairs of an input index and its weight; weights add up to 1. A weight of
  /// 0 stands with an index that has another one, so that it adds nothing, not even a NaN.
  void fill(std::int64_t o, std::int64_t* indices, double* weights) const noexcept;
};

/// Axis `axis` of a resize whose attributes were checked.
ResizeAxis resize_axis(const fb::ResizeAttrs& attrs, const Shape& in, const Shape& out,
                       int axis) noexcept;

}  // namespace skiff
