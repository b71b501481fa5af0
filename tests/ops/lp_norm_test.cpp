#include <gtest/gtest.h>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::LpNormAttrsT attributes(std::int64_t axis, std::int64_t p, float epsilon = 0) {
  fb::LpNormAttrsT attrs;
  attrs.axis = axis;
  attrs.p = p;
  attrs.epsilon = epsilon;
  return attrs;
}

TEST(LpNorm, EveryAxisTypeAndPower) {
  for (DType dtype : kFloats)
    for (int axis = 0; axis < 3; ++axis)
      for (int p : {1, 2}) {
        const TensorData x = random_tensor(dtype, {3, 5, 200});
        expect_near(run_op(fb::OpKind::lp_norm, attributes(axis, p), {x})[0],
                    map_lanes(x, axis, x.shape[axis],
                              [&](std::vector<double> lane) {
                                double sum = 0;
                                for (const double v : lane) sum += std::pow(std::abs(v), p);
                                for (double& v : lane) v /= std::pow(sum, 1.0 / p);
                                return lane;
                              }),
                    rounding(dtype, 4), 1e-7);
      }
}

TEST(LpNorm, ZeroNormsGiveZeros) {
  const TensorData x = tensor<float>({2, 2}, {0, 0, 3e-6f, 4e-6f});
  expect_near(run_op(fb::OpKind::lp_norm, attributes(1, 2), {x})[0], {0, 0, 0.6, 0.8}, 1e-6);
  expect_near(run_op(fb::OpKind::lp_norm, attributes(1, 2, 1e-3f), {x})[0], {0, 0, 3e-3, 4e-3},
              1e-6);
}

TEST(LpNorm, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  for (std::int64_t p : {std::int64_t{0}, std::int64_t{3}, std::int64_t{-2}, INT64_MAX})
    expect_refused(fb::OpKind::lp_norm, attributes(0, p), {x});
  expect_refused(fb::OpKind::lp_norm, attributes(2, 2), {x});
  expect_refused(fb::OpKind::lp_norm, attributes(0, 2, -1), {x});
}

}  // namespace
}  // namespace skiff::test
