#pragma once

#include <cmath>
#include <functional>
#include <set>

#include "tests/support/reference_movement.h"

// Naive references of operators along axes, in double.
namespace skiff::test {

/// For every point of the axes not in `axes`, in order, the values along those that are.
inline std::vector<std::vector<double>> groups_of(const TensorData& x,
                                                  const std::vector<std::int64_t>& axes) {
  const std::set<std::int64_t> gone(axes.begin(), axes.end());
  Shape kept;
  for (int axis = 0; axis < x.shape.rank(); ++axis)
    if (!gone.contains(axis)) kept.push_back(x.shape[axis]);
  std::vector<std::vector<double>> groups(static_cast<std::size_t>(kept.elements()));
  const std::vector<double> numbers = x.numbers();
  for_each_index(x.shape, [&](const Index& index) {
    Index own;
    for (int axis = 0; axis < x.shape.rank(); ++axis)
      if (!gone.contains(axis)) own.push_back(index[static_cast<std::size_t>(axis)]);
    groups[static_cast<std::size_t>(flat(kept, own))].push_back(
        numbers[static_cast<std::size_t>(flat(x.shape, index))]);
  });
  return groups;
}

/// Every lane along one axis replaced by f(lane), which has `extent` entries.
inline std::vector<double> map_lanes(
    const TensorData& x, int axis, std::int64_t extent,
    const std::function<std::vector<double>(const std::vector<double>&)>& f) {
  Shape shape = x.shape, others = x.shape;
  shape[axis] = extent;
  others[axis] = 1;
  std::vector<double> result(static_cast<std::size_t>(shape.elements()));
  const auto lanes = groups_of(x, {axis});
  std::size_t lane = 0;
  for_each_index(others, [&](const Index& start) {
    const std::vector<double> y = f(lanes[lane++]);
    Index index = start;
    for (std::int64_t i = 0; i < extent; ++i) {
      index[static_cast<std::size_t>(axis)] = i;
      result[static_cast<std::size_t>(flat(shape, index))] = y[static_cast<std::size_t>(i)];
    }
  });
  return result;
}

inline constexpr DType kFloats[] = {DType::float32, DType::float64, DType::float16,
                                    DType::bfloat16};

}  // namespace skiff::test
