#include "runtime/cli/compare.h"

#include <cmath>
#include <limits>

#include "runtime/cli/tensors.h"

namespace skiff::cli {
namespace {

/// 0 for equal values, infinities and NaNs included.
double distance(double a, double b) noexcept {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(a - b);
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

double ratio(double part, double whole) noexcept {
  if (part == 0) return 0;
  return whole > 0 ? part / whole : std::numeric_limits<double>::infinity();
}

}  // namespace

Difference compare(const Tensor& value, std::span<const std::byte> expected, double rtol,
                   double atol) noexcept {
  Difference result;
  double squares = 0, expected_squares = 0, most = 0;
  const auto count = static_cast<std::size_t>(value.shape().elements());
  for (std::size_t i = 0; i < count; ++i) {
    const double a = number_at(value.dtype(), value.bytes().data(), i);
    const double b = number_at(value.dtype(), expected.data(), i);
    const double d = distance(a, b);
    if (d > result.max_absolute) result.max_absolute = d, result.worst = i;
    if (d > atol + rtol * (std::isfinite(b) ? std::abs(b) : 0)) ++result.beyond;
    squares += d * d;
    if (!std::isfinite(b)) continue;
    expected_squares += b * b;
    most = std::fmax(most, std::abs(b));
  }
  result.relative_l2 = ratio(std::sqrt(squares), std::sqrt(expected_squares));
  result.max_relative = ratio(result.max_absolute, most);
  return result;
}

}  // namespace skiff::cli
