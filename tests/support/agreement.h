#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converters/ir/evaluate.h"
#include "converters/npy/npy.h"

// Agreement of two runtimes on a network's output, as models/golden/README.md of the shared data
// defines it.
namespace skiff::test {

inline std::vector<double> numbers_of(const npy::Array& array) {
  ir::Value value;
  value.dtype = array.dtype;
  value.shape = array.shape;
  value.constant = array.bytes;
  return ir::numbers(value);
}

/// Relative L2 error within `bound`, the worst error within twice that of the largest magnitude.
/// Errors up to `floor` are not counted: the other runtime's own.
inline void expect_agreement(const std::vector<double>& actual, const std::vector<double>& expected,
                             const std::string& name, double bound = 5e-4, double floor = 0) {
  ASSERT_EQ(actual.size(), expected.size()) << name;
  double error = 0, norm = 0, worst = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::max(std::abs(actual[i] - expected[i]) - floor, 0.0);
    if (std::isnan(actual[i])) FAIL() << name << "[" << i << "] is not a number";
    error += difference * difference;
    norm += expected[i] * expected[i];
    worst = std::max(worst, difference);
    largest = std::max(largest, std::abs(expected[i]));
  }
  EXPECT_LE(std::sqrt(error), bound * std::sqrt(norm)) << name;
  EXPECT_LE(worst, 2 * bound * largest) << name;
}

}  // namespace skiff::test
