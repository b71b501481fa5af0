#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using fb::ReduceFunction;
using Axes = std::vector<std::int64_t>;

fb::ReduceAttrsT attributes(ReduceFunction function, const Axes& axes, bool keep = true) {
  fb::ReduceAttrsT attrs;
  attrs.function = function;
  attrs.axes = axes;
  attrs.keep_dims = keep;
  return attrs;
}

double reference(ReduceFunction f, const std::vector<double>& values) {
  double sum = 0, product = 1, l1 = 0, squares = 0, exponentials = 0;
  double largest = -std::numeric_limits<double>::infinity(), smallest = -largest;
  for (const double v : values) {
    sum += v;
    product *= v;
    l1 += std::abs(v);
    squares += v * v;
    exponentials += std::exp(v);
    largest = std::max(largest, v);
    smallest = std::min(smallest, v);
  }
  switch (f) {
    case ReduceFunction::sum:
      return sum;
    case ReduceFunction::mean:
      return sum / static_cast<double>(values.size());
    case ReduceFunction::maximum:
      return largest;
    case ReduceFunction::minimum:
      return smallest;
    case ReduceFunction::product:
      return product;
    case ReduceFunction::l1:
      return l1;
    case ReduceFunction::l2:
      return std::sqrt(squares);
    case ReduceFunction::sum_square:
      return squares;
    case ReduceFunction::log_sum:
      return std::log(sum);
    case ReduceFunction::log_sum_exp:
      return std::log(exponentials);
    default:
      return 0;
  }
}

void check_reduce(ReduceFunction f, const TensorData& x, const Axes& axes, bool keep = true,
                  const OpOptions& options = {}) {
  SCOPED_TRACE(message(fb::EnumNameReduceFunction(f), " of ", x.dtype, " ", x.shape, ", ",
                       axes.size(), " axes"));
  const auto y = run_op(fb::OpKind::reduce, attributes(f, axes, keep), {x}, options);
  std::vector<double> expected;
  for (const auto& group : groups_of(x, axes)) expected.push_back(reference(f, group));
  const double scale = static_cast<double>(x.elements()) /
                       static_cast<double>(std::max<std::size_t>(1, expected.size()));
  // Sums cancel: the bound is on the sum of magnitudes, at most 4 a value.
  expect_near(y[0], expected, rounding(x.dtype, 64), rounding(x.dtype, 16) * 4 * scale);
}

constexpr ReduceFunction kOfFloats[] = {ReduceFunction::sum,     ReduceFunction::mean,
                                        ReduceFunction::maximum, ReduceFunction::minimum,
                                        ReduceFunction::product, ReduceFunction::l1,
                                        ReduceFunction::l2,      ReduceFunction::sum_square,
                                        ReduceFunction::log_sum, ReduceFunction::log_sum_exp};

TEST(Reduce, EveryFunctionAndSetOfAxes) {
  const Shape shape{2, 3, 4, 5};
  for (ReduceFunction f : kOfFloats) {
    for (unsigned set = 0; set < 16; ++set) {
      Axes axes;
      for (int axis = 0; axis < 4; ++axis)
        if ((set >> axis & 1u) != 0) axes.push_back(axis);
      const double low = f == ReduceFunction::log_sum || f == ReduceFunction::product ? 0.5 : -1;
      for (DType dtype : {DType::float32, DType::float64})
        check_reduce(f, random_tensor(dtype, shape, low, 1.2), axes, set % 2 == 0);
    }
    for (DType dtype : {DType::float16, DType::bfloat16})
      check_reduce(f, random_tensor(dtype, {3, 7}, 0.5, 1.2), {1});
  }
}

TEST(Reduce, LargeRowsAndColumns) {
  for_each_table([](const cpu::KernelTable& table) {
    const OpOptions options{1, &table, "node"};
    for (ReduceFunction f : {ReduceFunction::sum, ReduceFunction::maximum, ReduceFunction::l1,
                             ReduceFunction::l2, ReduceFunction::minimum}) {
      for (std::int64_t count = 1; count < 70; count += 3)
        check_reduce(f, random_tensor(DType::float32, {3, count}), {1}, true, options);
      check_reduce(f, random_tensor(DType::float32, {2, 5003}), {1}, true, options);
      check_reduce(f, random_tensor(DType::float32, {20'011}), {0}, true, options);
      check_reduce(f, random_tensor(DType::float32, {1, 37, 41, 67}), {1, 2}, true, options);
      check_reduce(f, random_tensor(DType::float32, {3, 9, 9, 300}), {1, 2}, false, options);
      check_reduce(f, random_tensor(DType::float32, {70, 3, 70}), {0, 2}, true, options);
    }
  });
}

TEST(Reduce, SumsStayAccurate) {
  const TensorData ones =
      tensor_of(DType::float32, {1 << 20, 2}, std::vector<double>(std::size_t{1} << 21, 0.1f));
  const auto y = run_op(fb::OpKind::reduce, attributes(ReduceFunction::sum, {0}), {ones});
  const double expected = static_cast<double>(0.1f) * (1 << 20);
  expect_near(y[0], {expected, expected}, 1e-6);
}

TEST(Reduce, EmptySets) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<ReduceFunction, double> cases[] = {{ReduceFunction::sum, 0},
                                                     {ReduceFunction::mean, nan},
                                                     {ReduceFunction::product, 1},
                                                     {ReduceFunction::maximum, -infinity},
                                                     {ReduceFunction::minimum, infinity},
                                                     {ReduceFunction::l2, 0},
                                                     {ReduceFunction::log_sum, -infinity},
                                                     {ReduceFunction::log_sum_exp, -infinity}};
  for (const auto& [f, value] : cases) {
    SCOPED_TRACE(fb::EnumNameReduceFunction(f));
    for (DType dtype : kFloats) {
      const TensorData x = tensor_of(dtype, {2, 0, 3}, {});
      expect_near(run_op(fb::OpKind::reduce, attributes(f, {1}), {x})[0],
                  std::vector<double>(6, value), 0);
      EXPECT_EQ(run_op(fb::OpKind::reduce, attributes(f, {0}), {x})[0].elements(), 0);
    }
  }
}

TEST(Reduce, ExtremesHandOnNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(60, 1);
  values[7] = nan;
  for_each_table([&](const cpu::KernelTable& table) {
    for (ReduceFunction f : {ReduceFunction::maximum, ReduceFunction::minimum}) {
      const double n = static_cast<double>(nan);
      expect_near(run_op(fb::OpKind::reduce, attributes(f, {1}), {tensor<float>({2, 30}, values)},
                         {1, &table, "node"})[0],
                  {n, 1}, 0);
      expect_near(run_op(fb::OpKind::reduce, attributes(f, {0}), {tensor<float>({30, 2}, values)},
                         {1, &table, "node"})[0],
                  {1, n}, 0);
    }
  });
}

TEST(Reduce, Integers) {
  const TensorData x = tensor<int>({2, 3}, {1, -2, 4, 7, 7, -9});
  const auto run = [&](ReduceFunction f) {
    return run_op(fb::OpKind::reduce, attributes(f, {1}, false), {x})[0].values<int>();
  };
  using V = std::vector<int>;
  EXPECT_EQ(run(ReduceFunction::sum), (V{3, 5}));
  EXPECT_EQ(run(ReduceFunction::mean), (V{1, 1}));
  EXPECT_EQ(run(ReduceFunction::product), (V{-8, -441}));
  EXPECT_EQ(run(ReduceFunction::maximum), (V{4, 7}));
  EXPECT_EQ(run(ReduceFunction::minimum), (V{-2, -9}));
  EXPECT_EQ(run(ReduceFunction::l1), (V{7, 23}));
  EXPECT_EQ(run(ReduceFunction::sum_square), (V{21, 179}));
  EXPECT_EQ(run(ReduceFunction::l2), (V{4, 13}));
  const TensorData high = tensor<std::int8_t>({4}, {127, 127, 127, 127});
  EXPECT_EQ(run_op(fb::OpKind::reduce, attributes(ReduceFunction::mean, {0}), {high})[0]
                .values<std::int8_t>()[0],
            127);
}

TEST(Reduce, Bools) {
  const TensorData x = tensor<bool>({2, 2}, {true, false, true, true});
  const auto run = [&](ReduceFunction f) {
    return run_op(fb::OpKind::reduce, attributes(f, {1}), {x})[0].values<bool>();
  };
  EXPECT_EQ(run(ReduceFunction::any), (std::vector<bool>{true, true}));
  EXPECT_EQ(run(ReduceFunction::all), (std::vector<bool>{false, true}));
  EXPECT_EQ(run(ReduceFunction::maximum), (std::vector<bool>{true, true}));
  EXPECT_EQ(run(ReduceFunction::minimum), (std::vector<bool>{false, true}));
}

TEST(Reduce, OddAttributesAreRefused) {
  const TensorData x = random_tensor(DType::float32, {2, 3});
  for (const Axes& axes : {Axes{2}, Axes{-1}, Axes{0, 0}, Axes{1, 0}, Axes{INT64_MAX}})
    expect_refused(fb::OpKind::reduce, attributes(ReduceFunction::sum, axes), {x});
  expect_refused(fb::OpKind::reduce, attributes(static_cast<ReduceFunction>(12), {0}), {x});
  expect_refused(fb::OpKind::reduce, attributes(ReduceFunction::any, {0}), {x});
  expect_refused(fb::OpKind::reduce, attributes(ReduceFunction::sum, {0}),
                 {tensor<bool>({1}, {true})});
}

}  // namespace
}  // namespace skiff::test
