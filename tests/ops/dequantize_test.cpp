#include <gtest/gtest.h>

#include "tests/support/op_runner.h"

// Round trips of every type and granularity stand in quantize_test.cpp.
namespace skiff::test {
namespace {

TEST(Dequantize, WideIntegersAndChosenResults) {
  fb::QuantizeAttrsT attrs;
  const TensorData x = tensor<int>({3}, {2147483647, -2147483647, 5});
  const auto y = run_op(fb::OpKind::dequantize, attrs,
                        {x, tensor<float>({}, {0.5f}), tensor<int>({}, {-2147483647})});
  EXPECT_EQ(y[0].values<float>(), (std::vector<float>{2147483647.0f, 0, 1073741826.0f}));
  attrs.to = fb::DType::float16;
  const auto half =
      run_op(fb::OpKind::dequantize, attrs, {tensor<int>({1}, {3}), tensor<float>({}, {0.5f})});
  EXPECT_EQ(half[0].dtype, DType::float16);
  EXPECT_EQ(half[0].numbers(), (std::vector<double>{1.5}));
}

TEST(Dequantize, OddOperandsAreRefused) {
  const fb::QuantizeAttrsT attrs;
  const auto op = fb::OpKind::dequantize;
  const TensorData one = tensor<float>({}, {1});
  expect_refused(op, attrs, {tensor<float>({1}, {1}), one});
  expect_refused(op, attrs, {tensor<std::int64_t>({1}, {1}), one});
  expect_refused(op, attrs, {tensor<int>({1}, {1}), tensor<double>({}, {1})});
  expect_refused(op, attrs, {tensor<int>({1}, {1}), one, tensor<std::int8_t>({}, {1})});
}

}  // namespace
}  // namespace skiff::test
