#include "tests/conformance/compare.h"

#include <algorithm>
#include <cmath>

#include "converters/ir/graph.h"
#include "runtime/core/error.h"

namespace skiff::conformance {
namespace {

constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

std::vector<double> numbers(const onnx::Dense& tensor) {
  ir::Value value;
  value.dtype = tensor.dtype;
  value.shape = tensor.shape;
  value.constant = tensor.bytes;
  return ir::numbers(value);
}

bool is_float(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16 ||
         dtype == DType::float64;
}

bool close(double a, double b, double absolute) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= absolute + kRelative * std::abs(b);
}

double absolute_tolerance(DType dtype, const std::vector<double>& expected) {
  if (dtype != DType::float32 && dtype != DType::float64) return kAbsolute;
  double largest = 0;
  for (double number : expected)
    if (std::isfinite(number)) largest = std::max(largest, std::abs(number));
  const double unit = dtype == DType::float32 ? 0x1p-23 : 0x1p-52;
  return std::max(kAbsolute, 2 * unit * largest);
}

}  // namespace

Difference compare(const onnx::Dense& actual, const onnx::Dense& expected) {
  if (actual.dtype != expected.dtype || actual.shape != expected.shape)
    return {message("is ", actual.dtype, " ", actual.shape, ", expected ", expected.dtype, " ",
                    expected.shape),
            INFINITY};
  if (!is_float(actual.dtype)) {
    if (actual.bytes == expected.bytes) return {};
    const std::size_t size = size_of(actual.dtype);
    const auto at = std::mismatch(actual.bytes.begin(), actual.bytes.end(), expected.bytes.begin());
    const auto i = static_cast<std::size_t>(at.first - actual.bytes.begin()) / size;
    return {message("element ", i, " is ", numbers(actual)[i], ", expected ", numbers(expected)[i]),
            INFINITY};
  }
  Difference difference;
  const std::vector<double> a = numbers(actual), b = numbers(expected);
  const double absolute = absolute_tolerance(actual.dtype, b);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i]) && std::isfinite(b[i]))
      difference.max_relative =
          std::max(difference.max_relative, std::abs(a[i] - b[i]) / std::max(std::abs(b[i]), 1e-7));
    if (difference.reason.empty() && !close(a[i], b[i], absolute))
      difference.reason = message("element ", i, " is ", a[i], ", expected ", b[i]);
  }
  return difference;
}

}  // namespace skiff::conformance
