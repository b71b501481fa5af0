#pragma once

#include <cmath>

#include "tests/support/reference_movement.h"

// What the tests of the scatter operators share.
namespace skiff::test {

using Reduction = fb::ScatterReduction;

/// What an update makes of the element it falls on.
inline double reduced(Reduction reduction, double a, double b) {
  switch (reduction) {
    case Reduction::add:
      return a + b;
    case Reduction::mul:
      return a * b;
    case Reduction::maximum:
      return std::max(a, b);
    case Reduction::minimum:
      return std::min(a, b);
    default:
      return b;
  }
}

inline fb::ScatterAttrsT scatter(std::int64_t axis, Reduction reduction) {
  fb::ScatterAttrsT attrs;
  attrs.axis = axis;
  attrs.reduction = reduction;
  return attrs;
}

/// Small whole numbers: exact in every dtype, whatever is done to a few of them.
inline TensorData small_numbers(DType dtype, const Shape& shape, unsigned seed) {
  std::vector<double> values = random_numbers(shape.elements(), 0, 3, seed);
  for (double& value : values) value = std::floor(value);
  return tensor_of(dtype, shape, values);
}

inline constexpr DType kNumeric[] = {
    DType::float32, DType::float16, DType::bfloat16, DType::float64, DType::int8,  DType::uint8,
    DType::int16,   DType::uint16,  DType::int32,    DType::uint32,  DType::int64, DType::uint64};

}  // namespace skiff::test
