#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::QuantizeAttrsT attributes(DType to, std::int64_t axis = 1, std::int64_t block = 0) {
  fb::QuantizeAttrsT attrs;
  attrs.to = static_cast<fb::DType>(to);
  attrs.axis = axis;
  attrs.block_size = block;
  return attrs;
}

std::pair<double, double> range_of(DType dtype) {
  switch (dtype) {
    case DType::int8:
      return {-128, 127};
    case DType::uint8:
      return {0, 255};
    case DType::int16:
      return {-32768, 32767};
    default:
      return {0, 65535};
  }
}

/// The entry of scale or zero point that belongs to an element of x.
std::size_t entry_of(const Shape& x, const Shape& scale, const Index& index, std::size_t axis,
                     std::int64_t block) {
  if (block == 0) return scale.elements() == 1 ? 0 : static_cast<std::size_t>(index[axis]);
  Index own = index;
  own[axis] /= block;
  (void)x;
  return static_cast<std::size_t>(flat(scale, own));
}

void check_both(DType from, DType to, const Shape& shape, const Shape& scales, std::int64_t axis,
                std::int64_t block, bool zeros) {
  SCOPED_TRACE(message(from, " to ", to, " ", shape, " scales ", scales, " axis ", axis));
  const auto range = range_of(to);
  const auto low = range.first, high = range.second;  // clang 14 captures no structured bindings
  const TensorData x = random_tensor(from, shape, -300, 300);
  // Powers of two: the quotient is exact and so is the expected rounding.
  std::vector<double> steps = random_numbers(scales.elements(), -2, 3, 2);
  for (double& v : steps) v = std::exp2(std::floor(v));
  const DType scale_type = from == DType::int32 ? DType::float32 : from;
  const TensorData scale = tensor_of(scale_type, scales, steps);
  const TensorData zero = random_tensor(to, scales, zeros ? low : 0, zeros ? high : 0.5, 3);
  std::vector<TensorData> operands = {x, scale};
  if (zeros) operands.push_back(zero);
  const auto q = run_op(fb::OpKind::quantize, attributes(to, axis, block), operands);
  std::vector<double> expected, restored;
  const auto v = x.numbers(), s = scale.numbers(), z = zero.numbers();
  for_each_index(shape, [&](const Index& index) {
    const std::size_t e = entry_of(shape, scales, index, static_cast<std::size_t>(axis), block);
    const double ratio = v[expected.size()] / s[e];
    const double whole = ratio - std::remainder(ratio, 1);
    expected.push_back(std::clamp(whole + z[e], low, high));
    restored.push_back((expected.back() - z[e]) * s[e]);
  });
  EXPECT_EQ(q[0].numbers(), expected);
  operands[0] = q[0];
  const auto y = run_op(fb::OpKind::dequantize, attributes(to, axis, block), operands);
  EXPECT_EQ(y[0].dtype, scale_type);
  expect_near(y[0], restored, rounding(scale_type, 1));
}

TEST(Quantize, EveryTypeAndGranularity) {
  for (DType from : {DType::float32, DType::float16, DType::bfloat16, DType::int32})
    for (DType to : {DType::int8, DType::uint8, DType::int16, DType::uint16})
      for (bool zeros : {false, true}) {
        check_both(from, to, {3, 4, 10}, {}, 1, 0, zeros);
        check_both(from, to, {3, 4, 10}, {1}, 7, 0, zeros);
        for (std::int64_t axis = 0; axis < 3; ++axis)
          check_both(from, to, {3, 4, 10}, {Shape{3, 4, 10}[static_cast<int>(axis)]}, axis, 0,
                     zeros);
        check_both(from, to, {3, 4, 10}, {3, 4, 4}, 2, 3, zeros);
        check_both(from, to, {3, 4, 10}, {3, 2, 10}, 1, 2, zeros);
        check_both(from, to, {3, 4, 10}, {1, 4, 10}, 0, 100, zeros);
      }
  check_both(DType::float32, DType::int8, {70'001}, {}, 0, 0, true);
  check_both(DType::float32, DType::uint8, {0, 4}, {4}, 1, 0, true);
}

TEST(Quantize, HalvesGoToEvenAndOddNumbersAreDefined) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TensorData x =
      tensor<float>({9}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, infinity, -infinity, nan, 1e38f});
  const auto q = run_op(fb::OpKind::quantize, attributes(DType::int8),
                        {x, tensor<float>({}, {1}), tensor<std::int8_t>({}, {3})});
  EXPECT_EQ(q[0].numbers(), (std::vector<double>{3, 5, 5, 3, 1, 127, -128, -128, 127}));
}

TEST(Quantize, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 6}), one = tensor<float>({}, {1});
  const auto op = fb::OpKind::quantize;
  for (DType to : {DType::none, DType::float32, DType::int32, DType::boolean})
    expect_refused(op, attributes(to), {x, one});
  expect_refused(op, attributes(DType::int8), {x, one, tensor<std::uint8_t>({}, {1})});
  expect_refused(op, attributes(DType::int8), {x, random_tensor(DType::float32, {2})});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX})
    expect_refused(op, attributes(DType::int8, axis), {x, random_tensor(DType::float32, {2})});
  for (std::int64_t block : {std::int64_t{-1}, std::int64_t{5}, INT64_MAX, INT64_MIN})
    expect_refused(op, attributes(DType::int8, 1, block),
                   {x, random_tensor(DType::float32, {2, 3})});
  expect_refused(op, attributes(DType::int8), {tensor<int>({1}, {1}), tensor<int>({}, {1})});
}

}  // namespace
}  // namespace skiff::test
