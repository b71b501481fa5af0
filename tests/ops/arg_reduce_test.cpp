#include <gtest/gtest.h>

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

double reference(ArgFunction f, bool last, const std::vector<double>& lane) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < lane.size(); ++i) {
    const bool better = f == ArgFunction::maximum ? lane[i] > lane[best] : lane[i] < lane[best];
    if (better || (last && lane[i] == lane[best])) best = i;
  }
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
