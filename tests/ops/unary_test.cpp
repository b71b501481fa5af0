#include <gtest/gtest.h>

#include "tests/support/reference_elementwise.h"

namespace skiff::test {
namespace {

using fb::UnaryFunction;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

fb::UnaryAttrsT attributes(UnaryFunction function, float alpha = 0, float beta = 0) {
  fb::UnaryAttrsT attrs;
  attrs.function = function;
  attrs.alpha = alpha;
  attrs.beta = beta;
  return attrs;
}

/// A function of floats, where it is tested, and how far it may be off besides its roundings.
struct Case {
  UnaryFunction function;
  double low, high;
  double roundings = 8;
  double absolute = 1e-6;
  float alpha = 0, beta = 0;
};

const Case kCases[] = {
    {UnaryFunction::relu, -9, 9, 0, 0},
    {UnaryFunction::clip, -9, 9, 0, 0, -1, 6},
    {UnaryFunction::leaky_relu, -9, 9, 1, 0, 0.125f},
    {UnaryFunction::sigmoid, -30, 30},
    {UnaryFunction::tanh, -12, 12, 16},
    {UnaryFunction::hard_sigmoid, -9, 9, 4, 1e-6, 0.25f, 0.5f},
    {UnaryFunction::hard_swish, -9, 9, 8, 1e-6},
    {UnaryFunction::swish, -20, 20, 8, 1e-6, 1},
    {UnaryFunction::gelu_erf, -9, 9, 16, 4e-6},
    {UnaryFunction::gelu_tanh, -9, 9, 16, 4e-6},
    {UnaryFunction::elu, -20, 20, 8, 1e-6, 1},
    {UnaryFunction::selu, -20, 20, 8, 1e-6, 1.6732632f, 1.0507010f},
    {UnaryFunction::celu, -20, 20, 8, 1e-6, 2},
    {UnaryFunction::softplus, -30, 30},
    {UnaryFunction::softsign, -30, 30},
    {UnaryFunction::mish, -20, 20, 16, 4e-6},
    {UnaryFunction::thresholded_relu, -9, 9, 0, 0, 1},
    {UnaryFunction::shrink, -9, 9, 1, 0, 0.5f, 1.5f},
    {UnaryFunction::abs, -9, 9, 0, 0},
    {UnaryFunction::neg, -9, 9, 0, 0},
    {UnaryFunction::exp, -80, 80},
    {UnaryFunction::log, 1e-6, 1e6},
    {UnaryFunction::sqrt, 0, 1e6, 2, 0},
    {UnaryFunction::rsqrt, 1e-6, 1e6, 4, 0},
    {UnaryFunction::reciprocal, 1, 100, 2, 0},
    {UnaryFunction::square, -100, 100, 2, 0},
    {UnaryFunction::floor, -100, 100, 0, 0},
    {UnaryFunction::ceil, -100, 100, 0, 0},
    {UnaryFunction::round, -100, 100, 0, 0},
    {UnaryFunction::sign, -1, 1, 0, 0},
    {UnaryFunction::erf, -5, 5, 16},
    {UnaryFunction::sin, -100, 100, 8, 2e-6},
    {UnaryFunction::cos, -100, 100, 8, 2e-6},
    {UnaryFunction::tan, -1.5, 1.5},
    {UnaryFunction::asin, -1, 1},
    {UnaryFunction::acos, -1, 1},
    {UnaryFunction::atan, -100, 100},
    {UnaryFunction::sinh, -9, 9},
    {UnaryFunction::cosh, -9, 9},
    {UnaryFunction::asinh, -100, 100},
    {UnaryFunction::acosh, 1, 100},
    {UnaryFunction::atanh, -0.99, 0.99},
};

void check_case(const Case& c, DType dtype, const Shape& shape, const OpOptions& options = {}) {
  SCOPED_TRACE(message(fb::EnumNameUnaryFunction(c.function), " of ", dtype, " ", shape));
  // 16-bit ranges are narrow: keep exponentials inside.
  const double limit = dtype == DType::float16 ? 8 : 1e9;
  const TensorData x = tensor_of(dtype, shape,
                                 random_numbers(shape.elements(), std::max(c.low, -limit),
                                                std::max(std::min(c.high, limit), c.low + 1)));
  const auto y = run_op(fb::OpKind::unary, attributes(c.function, c.alpha, c.beta), {x}, options);
  std::vector<double> expected;
  for (const double v : x.numbers())
    expected.push_back(
        reference_unary(c.function, v, static_cast<double>(c.alpha), static_cast<double>(c.beta)));
  const bool narrow = dtype == DType::float16 || dtype == DType::bfloat16;
  const double tiny = dtype == DType::float16 ? 0x1p-24 : 0;
  expect_near(y[0], expected, rounding(dtype, narrow ? 2 : c.roundings),
              (dtype == DType::float64 ? c.absolute * 1e-7 : c.absolute) + tiny);
}

TEST(Unary, EveryFunctionOfFloats) {
  for (const Case& c : kCases)
    for (DType dtype : {DType::float64, DType::float16, DType::bfloat16})
      check_case(c, dtype, {3, 41});
  for_each_table([](const cpu::KernelTable& table) {
    for (const Case& c : kCases) check_case(c, DType::float32, {3, 401}, {1, &table, "node"});
  });
}

TEST(Unary, EveryCountUpToVectors) {
  for_each_table([](const cpu::KernelTable& table) {
    for (std::int64_t count = 0; count < 40; ++count) {
      check_case({UnaryFunction::exp, -8, 8}, DType::float32, {count}, {1, &table, "node"});
      check_case({UnaryFunction::sigmoid, -8, 8}, DType::float32, {count}, {1, &table, "node"});
    }
  });
  check_case({UnaryFunction::sqrt, 0, 8, 2}, DType::float32, {5, 100'003});
}

TEST(Unary, ValuesAtTheEdge) {
  const float big = std::numeric_limits<float>::max(),
              tiny = std::numeric_limits<float>::denorm_min();
  const TensorData x =
      tensor<float>({10}, {0.0f, -0.0f, kInfinity, -kInfinity, kNan, big, -big, tiny, 0.5f, -2.5f});
  for_each_table([&](const cpu::KernelTable& table) {
    for (const Case& c : kCases) {
      // Sines of huge numbers, and functions that multiply an infinity by 0, differ legitimately.
      if (c.function == UnaryFunction::sin || c.function == UnaryFunction::cos ||
          c.function == UnaryFunction::tan || c.function == UnaryFunction::swish ||
          c.function == UnaryFunction::gelu_erf || c.function == UnaryFunction::gelu_tanh ||
          c.function == UnaryFunction::mish || c.function == UnaryFunction::hard_swish ||
          c.function == UnaryFunction::softsign || c.function == UnaryFunction::log ||
          c.function == UnaryFunction::rsqrt || c.function == UnaryFunction::reciprocal)
        continue;
      SCOPED_TRACE(fb::EnumNameUnaryFunction(c.function));
      const auto y = run_op(fb::OpKind::unary, attributes(c.function, c.alpha, c.beta), {x},
                            {1, &table, "node"});
      std::vector<double> expected;
      for (const double v : x.numbers()) {
        const double r = reference_unary(c.function, v, static_cast<double>(c.alpha),
                                         static_cast<double>(c.beta));
        expected.push_back(std::abs(r) > static_cast<double>(big) ? r * kInfinity : r);
      }
      // reference_activation's std::max drops a NaN; the operators hand it on.
      expected[4] = static_cast<double>(kNan);
      expect_near(y[0], expected, 1e-5, 1e-6);
    }
  });
}

/// As ONNX defines it: the upper bound wins.
TEST(Unary, ClipWithBoundsThatCross) {
  const std::vector<double> x = {0, 1, 2, 3, 4, static_cast<double>(kNan), -5, 1.5, 9};
  for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16})
    for_each_table([&](const cpu::KernelTable& table) {
      const auto y = run_op(fb::OpKind::unary, attributes(UnaryFunction::clip, 3, 1),
                            {tensor_of(dtype, {9}, x)}, {1, &table, "node"});
      expect_near(y[0], {1, 1, 1, 1, 1, static_cast<double>(kNan), 1, 1, 1}, 0, 0);
    });
}

TEST(Unary, Integers) {
  const std::vector<double> values = {-128, -127, -5, -1, 0, 1, 7, 127};
  const TensorData x = tensor_of(DType::int8, {8}, values);
  const auto run = [&](UnaryFunction f, float alpha = 0, float beta = 0) {
    return run_op(fb::OpKind::unary, attributes(f, alpha, beta), {x})[0].numbers();
  };
  using V = std::vector<double>;
  EXPECT_EQ(run(UnaryFunction::abs), (V{-128, 127, 5, 1, 0, 1, 7, 127}));
  EXPECT_EQ(run(UnaryFunction::neg), (V{-128, 127, 5, 1, 0, -1, -7, -127}));
  EXPECT_EQ(run(UnaryFunction::relu), (V{0, 0, 0, 0, 0, 1, 7, 127}));
  EXPECT_EQ(run(UnaryFunction::sign), (V{-1, -1, -1, -1, 0, 1, 1, 1}));
  EXPECT_EQ(run(UnaryFunction::square), (V{0, 1, 25, 1, 0, 1, 49, 1}));
  EXPECT_EQ(run(UnaryFunction::bitwise_not), (V{127, 126, 4, 0, -1, -2, -8, -128}));
  EXPECT_EQ(run(UnaryFunction::clip, -1e9f, 6), (V{-128, -127, -5, -1, 0, 1, 6, 6}));
}

TEST(Unary, TestsAndLogic) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
    const TensorData x = tensor_of(dtype, {4}, {kNan, kInfinity, -kInfinity, 1});
    const auto run = [&](UnaryFunction f, float positive, float negative) {
      return run_op(fb::OpKind::unary, attributes(f, positive, negative), {x})[0].values<bool>();
    };
    EXPECT_EQ(run(UnaryFunction::is_nan, 0, 0), (std::vector<bool>{true, false, false, false}));
    EXPECT_EQ(run(UnaryFunction::is_inf, 1, 1), (std::vector<bool>{false, true, true, false}));
    EXPECT_EQ(run(UnaryFunction::is_inf, 1, 0), (std::vector<bool>{false, true, false, false}));
    EXPECT_EQ(run(UnaryFunction::is_inf, 0, 1), (std::vector<bool>{false, false, true, false}));
  }
  const auto y = run_op(fb::OpKind::unary, attributes(UnaryFunction::logical_not),
                        {tensor<bool>({2}, {true, false})});
  EXPECT_EQ(y[0].values<bool>(), (std::vector<bool>{false, true}));
}

TEST(Unary, OddAttributesAreRefused) {
  const TensorData x = tensor<float>({2}, {1, 2});
  for (int function : {0, 47, 99, 255})
    expect_refused(fb::OpKind::unary, attributes(static_cast<UnaryFunction>(function)), {x});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::clip, kNan, 1), {x});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::clip, 0, kNan), {x});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::logical_not), {x});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::bitwise_not), {x});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::sigmoid), {tensor<int>({1}, {1})});
  expect_refused(fb::OpKind::unary, attributes(UnaryFunction::abs), {tensor<bool>({1}, {true})});
  expect_refused(fb::OpKind::unary, fb::CastAttrsT(), {x});
}

}  // namespace
}  // namespace skiff::test
