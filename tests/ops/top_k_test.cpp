#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

fb::TopKAttrsT attributes(std::int64_t axis, std::int64_t k, bool largest) {
  fb::TopKAttrsT attrs;
  attrs.axis = axis;
  attrs.k = k;
  attrs.largest = largest;
  return attrs;
}

std::vector<double> order_of(const std::vector<double>& lane, bool largest) {
  std::vector<double> order(lane.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](double i, double j) {
    const double a = lane[static_cast<std::size_t>(i)], b = lane[static_cast<std::size_t>(j)];
    return largest ? a > b : a < b;
  });
  return order;
}

void check_top_k(const TensorData& x, int axis, std::int64_t k, bool largest) {
  const auto y = run_op(fb::OpKind::top_k, attributes(axis, k, largest), {x}, {2, nullptr, "node"});
  EXPECT_EQ(y[0].numbers(), map_lanes(x, axis, k, [&](const auto& lane) {
              std::vector<double> values;
              for (const double i : order_of(lane, largest))
                values.push_back(lane[static_cast<std::size_t>(i)]);
              return values;
            }));
  EXPECT_EQ(y[1].numbers(),
            map_lanes(x, axis, k, [&](const auto& lane) { return order_of(lane, largest); }));
}

TEST(TopK, EveryAxisTypeAndCount) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::int8, DType::uint64}) {
    std::vector<double> numbers = random_numbers(3 * 8 * 5, 0, 9);
    for (double& v : numbers) v = std::floor(v);
    const TensorData x = tensor_of(dtype, {3, 8, 5}, numbers);
    for (int axis = 0; axis < 3; ++axis)
      for (std::int64_t k : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, x.shape[axis]})
        for (bool largest : {false, true}) check_top_k(x, axis, k, largest);
  }
  check_top_k(random_tensor(DType::float32, {4, 5000}), 1, 100, true);
}

TEST(TopK, NanIsTheLargest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TensorData x = tensor<float>({4}, {1, nan, 3, nan});
  const OpOptions two{2, nullptr, "node"};
  EXPECT_EQ(run_op(fb::OpKind::top_k, attributes(0, 3, true), {x}, two)[1].numbers(),
            (std::vector<double>{1, 3, 2}));
  EXPECT_EQ(run_op(fb::OpKind::top_k, attributes(0, 3, false), {x}, two)[1].numbers(),
            (std::vector<double>{0, 2, 1}));
}

TEST(TopK, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  for (std::int64_t k : {std::int64_t{-1}, std::int64_t{4}, INT64_MAX})
    expect_refused(fb::OpKind::top_k, attributes(1, k, true), {x}, 2);
  expect_refused(fb::OpKind::top_k, attributes(2, 1, true), {x}, 2);
  expect_refused(fb::OpKind::top_k, attributes(0, 1, true), {x}, 1);
}

}  // namespace
}  // namespace skiff::test
