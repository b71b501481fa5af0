#pragma once

#include <cmath>
#include <functional>
#include <limits>

#include "tests/support/reference_activation.h"
#include "tests/support/reference_movement.h"

// Naive references of elementwise operators: one element at a time, in double.
namespace skiff::test {

inline double reference_unary(fb::UnaryFunction f, double x, double a, double b) {
  using enum fb::UnaryFunction;
  switch (f) {
    case abs:
      return std::abs(x);
    case neg:
      return -x;
    case exp:
      return std::exp(x);
    case log:
      return std::log(x);
    case sqrt:
      return std::sqrt(x);
    case rsqrt:
      return 1 / std::sqrt(x);
    case reciprocal:
      return 1 / x;
    case square:
      return x * x;
    case floor:
      return std::floor(x);
    case ceil:
      return std::ceil(x);
    case round:
      return std::isfinite(x) ? x - std::remainder(x, 1) : x;
    case sign:
      return std::isnan(x) ? x : (x > 0) - (x < 0);
    case erf:
      return std::erf(x);
    case sin:
      return std::sin(x);
    case cos:
      return std::cos(x);
    case tan:
      return std::tan(x);
    case asin:
      return std::asin(x);
    case acos:
      return std::acos(x);
    case atan:
      return std::atan(x);
    case sinh:
      return std::sinh(x);
    case cosh:
      return std::cosh(x);
    case asinh:
      return std::asinh(x);
    case acosh:
      return std::acosh(x);
    case atanh:
      return std::atanh(x);
    default:
      return reference_activation(f, x, a, b);
  }
}

inline double reference_binary(fb::BinaryFunction f, double a, double b) {
  using enum fb::BinaryFunction;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  switch (f) {
    case add:
      return a + b;
    case sub:
      return a - b;
    case mul:
      return a * b;
    case div:
      return a / b;
    case pow:
      return std::pow(a, b);
    case minimum:
      return std::isnan(a) || std::isnan(b) ? nan : std::min(a, b);
    case maximum:
      return std::isnan(a) || std::isnan(b) ? nan : std::max(a, b);
    case mod:
      return a - b * std::floor(a / b);
    case fmod:
      return std::fmod(a, b);
    case floor_div:
      return std::floor(a / b);
    case squared_difference:
      return (a - b) * (a - b);
    case prelu:
      return a < 0 ? a * b : a;
    case atan2:
      return std::atan2(a, b);
    case equal:
      return a == b;
    case not_equal:
      return a != b;
    case less:
      return a < b;
    case less_equal:
      return a <= b;
    case greater:
      return a > b;
    case greater_equal:
      return a >= b;
    case logical_and:
      return a != 0 && b != 0;
    case logical_or:
      return a != 0 || b != 0;
    case logical_xor:
      return (a != 0) != (b != 0);
    default:
      return nan;
  }
}

/// Position in a tensor of shape `from` of the element that broadcasting puts at `index`.
inline std::int64_t broadcast_position(const Shape& from, const Index& index) {
  Index own;
  const std::size_t shift = index.size() - static_cast<std::size_t>(from.rank());
  for (int axis = 0; axis < from.rank(); ++axis)
    own.push_back(from[axis] == 1 ? 0 : index[shift + static_cast<std::size_t>(axis)]);
  return flat(from, own);
}

/// f over numpy's broadcasting of two tensors, whose result has shape `shape`.
inline std::vector<double> reference_broadcast(const TensorData& a, const TensorData& b,
                                               const Shape& shape,
                                               const std::function<double(double, double)>& f) {
  const std::vector<double> u = a.numbers(), v = b.numbers();
  std::vector<double> result;
  for_each_index(shape, [&](const Index& index) {
    result.push_back(f(u[static_cast<std::size_t>(broadcast_position(a.shape, index))],
                       v[static_cast<std::size_t>(broadcast_position(b.shape, index))]));
  });
  return result;
}

}  // namespace skiff::test
