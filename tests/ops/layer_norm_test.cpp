#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::NormAttrsT attributes(std::int64_t axis, bool rms = false, float epsilon = 1e-5f) {
  fb::NormAttrsT attrs;
  attrs.axis = axis;
  attrs.rms = rms;
  attrs.epsilon = epsilon;
  return attrs;
}

struct Reference {
  std::vector<double> y, mean, factor;
};

Reference reference(const TensorData& x, int axis, bool rms, double epsilon,
                    const std::vector<double>& scale, const std::vector<double>& bias) {
  Reference r;
  std::vector<std::int64_t> axes;
  for (int a = axis; a < x.shape.rank(); ++a) axes.push_back(a);
  for (const auto& row : groups_of(x, axes)) {
    double mean = 0, square = 0;
    const auto n = static_cast<double>(row.size());
    for (const double v : row) mean += rms ? 0 : v / n;
    for (const double v : row) square += (v - mean) * (v - mean) / n;
    const double factor = 1 / std::sqrt(square + epsilon);
    for (std::size_t i = 0; i < row.size(); ++i)
      r.y.push_back((row[i] - mean) * factor * (scale.empty() ? 1 : scale[i]) +
                    (bias.empty() ? 0 : bias[i]));
    r.mean.push_back(mean);
    r.factor.push_back(factor);
  }
  return r;
}

void check_layer_norm(DType dtype, const Shape& shape, int axis, bool rms,
                      const cpu::KernelTable* table = nullptr) {
  SCOPED_TRACE(message(dtype, " ", shape, " axis ", axis));
  const TensorData x = random_tensor(dtype, shape, 1, 5);
  const Shape row{shape.elements(axis, shape.rank())};
  const TensorData scale = random_tensor(dtype, row, 0.5, 2, 2);
  const TensorData bias = random_tensor(dtype, row, -1, 1, 3);
  const auto y =
      run_op(fb::OpKind::layer_norm, attributes(axis, rms), {x, scale, bias}, {3, table, "node"});
  const Reference r =
      reference(x, axis, rms, static_cast<double>(1e-5f), scale.numbers(), bias.numbers());
  expect_near(y[0], r.y, rounding(dtype, 64), rounding(dtype, 64));
  expect_near(y[1], r.mean, 1e-6, 1e-6);
  expect_near(y[2], r.factor, 1e-5);
  const auto plain = run_op(fb::OpKind::layer_norm, attributes(axis, rms), {x}, {1, table, "node"});
  expect_near(plain[0], reference(x, axis, rms, static_cast<double>(1e-5f), {}, {}).y,
              rounding(dtype, 64), rounding(dtype, 64));
}

TEST(LayerNorm, EveryAxisTypeAndLength) {
  for (DType dtype : kFloats)
    for (int axis = 0; axis < 3; ++axis)
      for (bool rms : {false, true}) check_layer_norm(dtype, {3, 7, 5}, axis, rms);
  for_each_table([](const cpu::KernelTable& table) {
    for (std::int64_t n = 1; n < 70; n += 3)
      check_layer_norm(DType::float32, {2, n}, 1, false, &table);
    check_layer_norm(DType::float32, {9, 3000}, 1, false, &table);
    check_layer_norm(DType::float32, {9, 3000}, 1, true, &table);
  });
}

TEST(LayerNorm, AMeanFarFromZeroKeepsTheVariance) {
  const TensorData x = random_tensor(DType::float32, {2, 768}, 999, 1001);
  const auto y = run_op(fb::OpKind::layer_norm, attributes(1), {x});
  expect_near(y[0], reference(x, 1, false, static_cast<double>(1e-5f), {}, {}).y, 1e-3, 1e-3);
}

TEST(LayerNorm, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  const auto op = fb::OpKind::layer_norm;
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX})
    expect_refused(op, attributes(axis), {x});
  expect_refused(op, attributes(1, false, -1), {x});
  expect_refused(op, attributes(1, false, std::numeric_limits<float>::quiet_NaN()), {x});
  expect_refused(op, attributes(1), {x, random_tensor(DType::float32, {2})});
  expect_refused(op, attributes(1), {x, random_tensor(DType::float64, {3})});
  expect_refused(op, attributes(1), {tensor<int>({1, 1}, {1})});
}

}  // namespace
}  // namespace skiff::test
