#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using fb::ArgFunction;

fb::ArgReduceAttrsT attributes(ArgFunction function, std::int64_t axis, bool keep, bool last,
                               DType index_type = DType::int64) {
  fb::ArgReduceAttrsT attrs;
  attrs.function = function;
  attrs.axis = axis;
  attrs.keep_dims = keep;
  attrs.select_last_index = last;
  attrs.index_type = static_cast<fb::DType>(index_type);
  return attrs;
}

/// NaN beats every number.
double reference(ArgFunction f, bool last, const std::vector<double>& lane) {
  const auto beats = [f](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
    return f == ArgFunction::maximum ? a > b : a < b;
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < lane.size(); ++i)
    if (beats(lane[i], lane[best]) || (last && !beats(lane[best], lane[i]))) best = i;
  return static_cast<double>(best);
}

TEST(ArgReduce, EveryAxisTypeAndTie) {
  const Shape shape{3, 7, 5};
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8,
                      DType::uint8, DType::int32, DType::uint64}) {
    // Few distinct values: many ties.
    std::vector<double> numbers = random_numbers(shape.elements(), 0, 6);
    for (double& v : numbers) v = std::floor(v);
    const TensorData x = tensor_of(dtype, shape, numbers);
    for (int axis = 0; axis < 3; ++axis)
      for (ArgFunction f : {ArgFunction::maximum, ArgFunction::minimum})
        for (bool last : {false, true}) {
          const DType index_type = last ? DType::int32 : DType::int64;
          const auto y =
              run_op(fb::OpKind::arg_reduce, attributes(f, axis, last, last, index_type), {x});
          std::vector<double> expected;
          for (const auto& lane : groups_of(x, {axis}))
            expected.push_back(reference(f, last, lane));
          EXPECT_EQ(y[0].numbers(), expected);
          EXPECT_EQ(y[0].dtype, index_type);
          EXPECT_EQ(y[0].shape.rank(), last ? 3 : 2);
        }
  }
}

/// The axis at every place among the others; of every 16 numbers some are equal, infinite or zeros.
TEST(ArgReduce, EveryLength) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::array<double, 5> odd = {-infinity, infinity, -0.0, 0,
                                     std::numeric_limits<double>::quiet_NaN()};
  for (std::int64_t n : {1, 2, 31, 32, 33, 255, 256, 257, 1024, 1025, 5000})
    for (const Shape& shape : {Shape{9, n}, Shape{2, n, 3}, Shape{n, 33}})
      for (std::size_t kind = 0; kind < odd.size(); ++kind) {
        std::vector<double> numbers = random_numbers(shape.elements(), -20, 20);
        for (double& v : numbers) v = std::round(v) == 7 ? odd[kind] : std::round(v / 4);
        const TensorData x =
            tensor_of(kind % 2 == 0 ? DType::float32 : DType::float64, shape, numbers);
        const int axis = shape.rank() == 2 && shape[1] == 33 && n != 33 ? 0 : 1;
        const auto f = n % 2 == 0 ? ArgFunction::maximum : ArgFunction::minimum;
        for (bool last : {false, true}) {
          std::vector<double> expected;
          for (const auto& lane : groups_of(x, {axis}))
            expected.push_back(reference(f, last, lane));
          EXPECT_EQ(
              run_op(fb::OpKind::arg_reduce, attributes(f, axis, true, last), {x})[0].numbers(),
              expected)
              << message(shape, " odd number ", kind, last ? " last" : "");
        }
      }
}

TEST(ArgReduce, NumbersAtTheEndsOfTheirTypes) {
  for (const TensorData& x : {tensor<std::int64_t>({4}, {-1, INT64_MIN, INT64_MAX, INT64_MAX - 1}),
                              tensor<std::uint64_t>({4}, {1, 0, UINT64_MAX, UINT64_MAX - 1}),
                              tensor<std::int16_t>({4}, {-1, -32768, 32767, 32766}),
                              tensor<std::uint8_t>({4}, {1, 0, 255, 254}),
                              tensor_of(DType::boolean, {4}, {1, 0, 1, 1})}) {
    const auto index = [&](ArgFunction f) {
      return run_op(fb::OpKind::arg_reduce, attributes(f, 0, true, false), {x})[0].numbers()[0];
    };
    EXPECT_EQ(index(ArgFunction::minimum), 1) << message(x.dtype);
    EXPECT_EQ(index(ArgFunction::maximum), x.dtype == DType::boolean ? 0 : 2) << message(x.dtype);
  }
}

TEST(ArgReduce, LargeAxes) {
  for (const Shape& shape : {Shape{3, 10'007}, Shape{1001, 300}}) {
    const TensorData x = random_tensor(DType::float32, shape);
    for (int axis = 0; axis < 2; ++axis) {
      std::vector<double> expected;
      for (const auto& lane : groups_of(x, {axis}))
        expected.push_back(reference(ArgFunction::maximum, false, lane));
      EXPECT_EQ(run_op(fb::OpKind::arg_reduce, attributes(ArgFunction::maximum, axis, true, false),
                       {x})[0]
                    .numbers(),
                expected);
    }
  }
}

TEST(ArgReduce, TheFirstNanWins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TensorData x = tensor<float>({5}, {1, nan, 9, nan, -9});
  for (ArgFunction f : {ArgFunction::maximum, ArgFunction::minimum})
    EXPECT_EQ(run_op(fb::OpKind::arg_reduce, attributes(f, 0, false, false), {x})[0].numbers(),
              (std::vector<double>{1}));
}

TEST(ArgReduce, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  const auto op = fb::OpKind::arg_reduce;
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MIN, INT64_MAX})
    expect_refused(op, attributes(ArgFunction::maximum, axis, true, false), {x});
  expect_refused(op, attributes(static_cast<ArgFunction>(2), 0, true, false), {x});
  expect_refused(op, attributes(ArgFunction::maximum, 0, true, false, DType::float32), {x});
  expect_refused(op, attributes(ArgFunction::maximum, 0, true, false),
                 {tensor_of(DType::float32, {0, 3}, {})});
}

}  // namespace
}  // namespace skiff::test
