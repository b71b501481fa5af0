#include "runtime/ops/resize_axis.h"

#include <algorithm>
#include <cmath>

namespace skiff {
namespace {

/// Keys' cubic kernel.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

double kernel(const ResizeAxis& axis, double x) {
  return axis.mode == fb::ResizeMode::cubic ? cubic(x, axis.cubic_a)
                                            : std::max(0.0, 1 - std::abs(x));
}

/// Half the width of the kernel, stretched when antialiasing shrinks the picture.
double support(const ResizeAxis& axis) {
  const double half = axis.mode == fb::ResizeMode::cubic ? 2 : 1;
  return axis.antialias ? half / std::min(axis.scale, 1.0) : half;
}

/// The first tap lies this many elements from the one at or before the position.
std::int64_t first_tap(const ResizeAxis& axis) {
  return static_cast<std::int64_t>(std::floor(-support(axis))) + 1;
}

}  // namespace

bool ResizeAxis::identity() const noexcept {
  if (in != out || std::abs(scale - 1) > 1e-9) return false;
  return coordinates != fb::CoordinateMode::tf_crop_and_resize || (roi_start == 0 && roi_end == 1);
}

std::int64_t ResizeAxis::taps() const noexcept {
  return mode == fb::ResizeMode::nearest ? 1 : 2 - 2 * first_tap(*this);
}

double ResizeAxis::position(std::int64_t o) const noexcept {
  const auto index = static_cast<double>(o), extent = static_cast<double>(in);
  const double length = scale * extent;  // of the output, which need not be whole
  switch (coordinates) {
    case fb::CoordinateMode::asymmetric:
      return index / scale;
    case fb::CoordinateMode::align_corners:
      return length == 1 ? 0 : index * (extent - 1) / (length - 1);
    case fb::CoordinateMode::pytorch_half_pixel:
      return length == 1 ? -0.5 : (index + 0.5) / scale - 0.5;
    case fb::CoordinateMode::half_pixel_symmetric:
      return extent / 2 * (1 - static_cast<double>(out) / length) + (index + 0.5) / scale - 0.5;
    case fb::CoordinateMode::tf_crop_and_resize: {
      const double width = (roi_end - roi_start) * (extent - 1);
      return roi_start * (extent - 1) + (length == 1 ? width / 2 : index * width / (length - 1));
    }
    case fb::CoordinateMode::tf_half_pixel_for_nn:
      return (index + 0.5) / scale;
    default:
      return (index + 0.5) / scale - 0.5;
  }
}

bool ResizeAxis::outside(double position) const noexcept {
  return coordinates == fb::CoordinateMode::tf_crop_and_resize &&
         (position < 0 || position > static_cast<double>(in - 1));
}

std::int64_t ResizeAxis::nearest_index(std::int64_t o) const noexcept {
  const double p = position(o);
  double index = 0;
  switch (nearest) {
    case fb::NearestMode::round_prefer_ceil:
      index = std::floor(p + 0.5);
      break;
    case fb::NearestMode::floor:
      index = std::floor(p);
      break;
    case fb::NearestMode::ceil:
      index = std::ceil(p);
      break;
    default:
      index = std::ceil(p - 0.5);
      break;
  }
  // Not a number only where an infinite roi was divided: taken as 0.
  return static_cast<std::int64_t>(std::min(std::max(0.0, index), static_cast<double>(in - 1)));
}

void ResizeAxis::fill(std::int64_t o, std::int64_t* indices, double* weights) const noexcept {
  const double p = std::clamp(position(o), -1e15, 1e15);
  const double floor = std::floor(p), stretch = antialias ? std::min(scale, 1.0) : 1;
  const std::int64_t first = static_cast<std::int64_t>(floor) + first_tap(*this);
  const std::int64_t count = taps();
  double sum = 0;
  std::int64_t heaviest = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t index = first + t;
    weights[t] = kernel(*this, (static_cast<double>(index) - p) * stretch);
    if (exclude_outside && (index < 0 || index >= in)) weights[t] = 0;
    indices[t] = std::clamp<std::int64_t>(index, 0, in - 1);
    sum += weights[t];
    if (std::abs(weights[t]) > std::abs(weights[heaviest])) heaviest = t;
  }
  for (std::int64_t t = 0; t < count; ++t) {
    if (sum != 0) weights[t] /= sum;
    if (weights[t] == 0) indices[t] = indices[heaviest];
  }
}

}  // namespace skiff
