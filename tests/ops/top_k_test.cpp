#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
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

/// NaN is the largest of all.
bool less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

std::vector<double> order_of(const std::vector<double>& lane, bool largest) {
  std::vector<double> order(lane.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](double i, double j) {
    const double a = lane[static_cast<std::size_t>(i)], b = lane[static_cast<std::size_t>(j)];
    return largest ? less(b, a) : less(a, b);
  });
  return order;
}

void check_top_k(const TensorData& x, int axis, std::int64_t k, bool largest) {
  SCOPED_TRACE(message(x.dtype, " ", x.shape, " axis ", axis, " k ", k, largest ? " largest" : ""));
  const auto y = run_op(fb::OpKind::top_k, attributes(axis, k, largest), {x}, {2, nullptr, "node"});
  const std::vector<double> order =
      map_lanes(x, axis, k, [&](const auto& lane) { return order_of(lane, largest); });
  EXPECT_EQ(y[1].numbers(), order);
  expect_near(y[0],
              map_lanes(x, axis, k,
                        [&](const auto& lane) {
                          std::vector<double> values;
                          for (const double i : order_of(lane, largest))
                            values.push_back(lane[static_cast<std::size_t>(i)]);
                          return values;
                        }),
              0);
}

/// Few distinct numbers, so that many are equal; among floats NaN, infinities and both zeros.
TensorData numbers_with_ties(DType dtype, const Shape& shape) {
  std::vector<double> numbers = random_numbers(shape.elements(), 0, 40);
  for (double& v : numbers) v = std::floor(v);
  if (holds(FloatTypes{}, dtype)) {
    const double infinity = std::numeric_limits<double>::infinity();
    const std::array<double, 7> odd = {
        infinity, -infinity, -0.0, 0, -3, -3.5, std::numeric_limits<double>::quiet_NaN()};
    for (double& v : numbers)
      if (v < static_cast<double>(odd.size())) v = odd[static_cast<std::size_t>(v)];
  }
  return tensor_of(dtype, shape, numbers);
}

constexpr DType kNumbers[] = {DType::float32, DType::float64, DType::float16, DType::bfloat16,
                              DType::int8,    DType::int16,   DType::int32,   DType::int64,
                              DType::uint8,   DType::uint16,  DType::uint32,  DType::uint64};

TEST(TopK, EveryAxisTypeAndCount) {
  for (DType dtype : kNumbers) {
    const TensorData x = numbers_with_ties(dtype, {3, 8, 5});
    for (int axis = 0; axis < 3; ++axis)
      for (std::int64_t k : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, x.shape[axis]})
        for (bool largest : {false, true}) check_top_k(x, axis, k, largest);
  }
}

TEST(TopK, EveryLength) {
  for (std::int64_t n : {1, 2, 31, 32, 33, 255, 256, 257, 1023, 1024, 1025, 5000})
    for (std::int64_t k : {std::int64_t{1}, (n + 1) / 2, n})
      for (bool largest : {false, true}) {
        check_top_k(numbers_with_ties(DType::float32, {3, n}), 1, k, largest);
        check_top_k(numbers_with_ties(DType::int64, {n, 2}), 0, k, largest);
      }
}

TEST(TopK, LongLines) {
  for (std::int64_t k : {1, 100, 1024, 9000}) {
    check_top_k(numbers_with_ties(DType::float16, {2, 9000}), 1, k, true);
    check_top_k(numbers_with_ties(DType::float64, {2, 9000, 2}), 1, k, false);
  }
  check_top_k(random_tensor(DType::float32, {70'000}), 0, 70'000, false);
  const TensorData x = random_tensor(DType::float32, {(1 << 20) + 3});
  std::vector<double> order = order_of(x.numbers(), true);
  order.resize(300);
  EXPECT_EQ(
      run_op(fb::OpKind::top_k, attributes(0, 300, true), {x}, {2, nullptr, "node"})[1].numbers(),
      order);
}

TEST(TopK, NumbersAtTheEndsOfTheirTypes) {
  const auto order = [](const TensorData& x, bool largest) {
    return run_op(fb::OpKind::top_k, attributes(0, 4, largest), {x}, {2, nullptr, "node"})[1]
        .numbers();
  };
  const std::vector<double> rising{1, 0, 3, 2}, falling{2, 3, 0, 1};
  for (const TensorData& x :
       {tensor<std::int64_t>({4}, {-1, INT64_MIN, INT64_MAX, INT64_MAX - 1}),
        tensor<std::uint64_t>({4}, {1, 0, UINT64_MAX, UINT64_MAX - 1}),
        tensor<std::int32_t>({4}, {-1, INT32_MIN, INT32_MAX, INT32_MAX - 1}),
        tensor<std::int8_t>({4}, {-1, -128, 127, 126}), tensor<std::uint8_t>({4}, {1, 0, 255, 254}),
        tensor<float>({4}, {-1e-45f, -3.4e38f, 3.4e38f, 1e-45f})}) {
    EXPECT_EQ(order(x, false), rising) << message(x.dtype);
    EXPECT_EQ(order(x, true), falling) << message(x.dtype);
  }
}

TEST(TopK, ZerosAreEqualAndKeepTheirSigns) {
  const TensorData x = tensor<float>({4}, {0.0f, -0.0f, 0.0f, -0.0f});
  for (bool largest : {false, true}) {
    const auto y = run_op(fb::OpKind::top_k, attributes(0, 4, largest), {x}, {2, nullptr, "node"});
    EXPECT_EQ(y[1].numbers(), (std::vector<double>{0, 1, 2, 3}));
    EXPECT_EQ(y[0].bytes, x.bytes);
  }
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
