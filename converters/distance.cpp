#include "converters/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skiff::convert {
namespace {

double ratio(double part, double whole) noexcept {
  if (part == 0) return 0;
  return whole > 0 ? part / whole : std::numeric_limits<double>::infinity();
}

}  // namespace

void Distance::add(std::span<const double> numbers, std::span<const double> expected) noexcept {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = numbers[i], b = expected[i];
    if (a == b && !std::isfinite(a)) continue;
    if (std::isnan(a) && std::isnan(b)) continue;
    double difference = std::abs(a - b);
    if (!std::isfinite(difference)) difference = std::numeric_limits<double>::infinity();
    difference_squares_ += difference * difference;
    largest_difference_ = std::max(largest_difference_, difference);
    if (!std::isfinite(a) || !std::isfinite(b)) continue;
    product_ += a * b;
    squares_ += a * a;
    expected_squares_ += b * b;
    largest_ = std::max(largest_, std::abs(b));
  }
}

double Distance::relative_l2() const noexcept {
  return ratio(std::sqrt(difference_squares_), std::sqrt(expected_squares_));
}

double Distance::max_relative() const noexcept { return ratio(largest_difference_, largest_); }

double Distance::cosine() const noexcept {
  if (!std::isfinite(difference_squares_)) return 0;
  if (squares_ == 0 && expected_squares_ == 0) return 1;
  return ratio(product_, std::sqrt(squares_) * std::sqrt(expected_squares_));
}

}  // namespace skiff::convert
