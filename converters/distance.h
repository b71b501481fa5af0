#pragma once

#include <span>

namespace skiff::convert {

/// How far numbers are from expected ones, over all that were added. Where one of two is no finite
/// number and the other is another, all measures are infinite and the cosine 0.
class Distance {
 public:
  /// As many of the one as of the other.
  void add(std::span<const double> numbers, std::span<const double> expected) noexcept;

  /// Norm of the difference over that of the expected numbers.
  double relative_l2() const noexcept;
  /// Largest difference over the largest expected magnitude.
  double max_relative() const noexcept;
  /// Of the angle between the two; 1 when both are zeros.
  double cosine() const noexcept;

 private:
  double product_ = 0, squares_ = 0, expected_squares_ = 0, difference_squares_ = 0;
  double largest_ = 0, largest_difference_ = 0;
};

}  // namespace skiff::convert
