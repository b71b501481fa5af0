#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/op_runner.h"

// What sums in float16 may come to, from the definition of the type: 11 bits of precision, numbers
// in steps of 2^-24 at least, none beyond 65504. Shares nothing with what it checks.
namespace skiff::test {

inline constexpr double kLargestHalf = 65504;

/// To nearest even, in double precision; what is beyond the range becomes its largest number.
inline double as_half(double x) {
  if (std::isnan(x) || x == 0) return x;
  if (std::abs(x) >= kLargestHalf) return std::copysign(kLargestHalf, x);
  int exponent;
  std::frexp(x, &exponent);
  const double step = std::ldexp(1.0, std::max(exponent - 11, -24));
  const double rounded = std::nearbyint(x / step) * step;
  return std::abs(rounded) > kLargestHalf ? std::copysign(kLargestHalf, x) : rounded;
}

/// Whether kernels of the table may add in float16 on this machine.
inline bool adds_in_halves(const cpu::KernelTable& table) {
  return cpu::half_products(table) != nullptr;
}

/// A constant with these numbers as float16.
inline TensorData stored_as_half(const TensorData& from) {
  return constant(tensor_of(DType::float16, from.shape, from.numbers()));
}

/// The same tensor with every number so rounded.
inline TensorData rounded_to_half(const TensorData& from) {
  std::vector<double> numbers = from.numbers();
  for (double& x : numbers) x = as_half(x);
  TensorData to = tensor_of(from.dtype, from.shape, numbers);
  to.constant = from.constant;
  return to;
}

/// Of a sum of `terms` products of float16 numbers whose magnitudes add up to `magnitude`, 32 of
/// them at a time in float16, blocks in float32. With u = 2^-11 the sum of a block is wrong by at
/// most 32 u / (1 - 32 u) of its magnitude (Higham, Accuracy and Stability of Numerical Algorithms,
/// 3.1), and by 2^-25 a product where numbers are subnormal.
inline double half_sum_bound(double terms, double magnitude) {
  const double products = 32 * 0x1p-11 / (1 - 32 * 0x1p-11);
  return products * magnitude + terms * 0x1p-25 + (terms + 8) * 0x1p-24 * (magnitude + 4);
}

/// What to expect of all results together, as roundings go up and down: a partial sum of k products
/// is sqrt(k) of one, so that 32 roundings add up to u sqrt(32 / 6) of the sum.
inline constexpr double kHalfSumsL2 = 0x1p-11 * 2.31;

/// |actual - expected| / |expected| in the Euclidean norm.
inline double relative_l2(std::span<const float> actual, const std::vector<double>& expected) {
  double error = 0, size = std::numeric_limits<double>::min();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = static_cast<double>(actual[i]) - expected[i];
    error += off * off, size += expected[i] * expected[i];
  }
  return std::sqrt(error / size);
}

}  // namespace skiff::test
