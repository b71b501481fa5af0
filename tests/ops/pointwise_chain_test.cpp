#include "runtime/ops/pointwise_chain.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/op_runner.h"
#include "tests/support/reference_elementwise.h"

// Chains of elementwise operators as one step: the bits of the operators one by one, and near the
// naive reference.
namespace skiff::test {
namespace {

using Step = PointwiseChain::Step;
using Unary = fb::UnaryFunction;
using Binary = fb::BinaryFunction;

Step unary(Unary f, int a) { return {0, static_cast<int>(f), 0, 0.5f, 1.5f, a, 0}; }
Step binary(Binary f, int a, int b, Unary then = Unary::none) {
  return {1, static_cast<int>(f), static_cast<int>(then), 0.5f, 1.5f, a, b};
}

struct Expression {
  std::vector<TensorData> inputs;
  std::vector<Step> steps;

  TensorData one_by_one(const cpu::KernelTable& table) const {
    std::vector<TensorData> values = inputs;
    for (const Step& step : steps) {
      const auto operand = [&](int i) { return values[static_cast<std::size_t>(i)]; };
      std::vector<TensorData> results;
      if (step.binary != 0) {
        fb::BinaryAttrsT attrs;
        attrs.function = static_cast<Binary>(step.function);
        attrs.activation = static_cast<Unary>(step.activation);
        attrs.alpha = step.alpha, attrs.beta = step.beta;
        results = run_op(fb::OpKind::binary, attrs, {operand(step.a), operand(step.b)},
                         {.table = &table});
      } else {
        fb::UnaryAttrsT attrs;
        attrs.function = static_cast<Unary>(step.function);
        attrs.alpha = step.alpha, attrs.beta = step.beta;
        results = run_op(fb::OpKind::unary, attrs, {operand(step.a)}, {.table = &table});
      }
      values.push_back(results[0]);
    }
    return values.back();
  }

  TensorData as_chain(const cpu::KernelTable& table) const {
    PointwiseChain chain{};
    for (const Step& step : steps) chain.steps[chain.count++] = step;
    chain.inputs = static_cast<int>(inputs.size());
    const OpResult result =
        run_op(fb::OpKind::none, {}, operands_of(inputs),
               {.table = &table, .threads = 3, .row = &pointwise_chain_op(), .attributes = &chain});
    EXPECT_TRUE(result.status.ok());
    return result[0];
  }

  /// Every step in double.
  std::vector<double> reference(const Shape& shape) const {
    std::vector<std::vector<double>> values;
    for (const TensorData& input : inputs) {
      const std::vector<double> numbers = input.numbers();
      std::vector<double>& spread = values.emplace_back();
      for_each_index(shape, [&](const Index& index) {
        spread.push_back(numbers[static_cast<std::size_t>(broadcast_position(input.shape, index))]);
      });
    }
    for (const Step& step : steps) {
      std::vector<double> result;
      const auto f = static_cast<Unary>(step.binary != 0 ? step.activation : step.function);
      for (std::size_t i = 0; i < values[0].size(); ++i) {
        double v = values[static_cast<std::size_t>(step.a)][i];
        if (step.binary != 0)
          v = reference_binary(static_cast<Binary>(step.function), v,
                               values[static_cast<std::size_t>(step.b)][i]);
        result.push_back(f == Unary::none ? v
                                          : reference_unary(f, v, static_cast<double>(step.alpha),
                                                            static_cast<double>(step.beta)));
      }
      values.push_back(result);
    }
    return values.back();
  }
};

/// `near`: what the reference says; empty: only the bits count.
void check(const Expression& expression, const std::vector<double>& near = {}) {
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData single = expression.one_by_one(table), chain = expression.as_chain(table);
    ASSERT_EQ(single.shape, chain.shape);
    // Where another device computes the single operators their bits are others.
    EXPECT_TRUE(device_run() != nullptr || single.bytes == chain.bytes)
        << "not the bits of the single operators";
    if (!near.empty()) expect_near(chain, near, 1e-5, 1e-5);
  });
}

void check_case(const Expression& expression, const Shape& shape) {
  SCOPED_TRACE(message(shape));
  check(expression, expression.reference(shape));
}

TensorData numbers(const Shape& shape, unsigned seed, DType dtype = DType::float32) {
  return tensor_of(dtype, shape, random_numbers(shape.elements(), -2, 2, seed));
}

TEST(PointwiseChain, EveryFunction) {
  Expression e{{numbers({3, 37}, 1), numbers({37}, 2)}, {}};
  for (int f = 1; f <= static_cast<int>(Unary::cos); ++f) {
    SCOPED_TRACE(fb::EnumNameUnaryFunction(static_cast<Unary>(f)));
    e.steps = {binary(Binary::add, 0, 1), unary(static_cast<Unary>(f), 2),
               unary(static_cast<Unary>(f), 3)};
    check(e);
  }
  for (int f = 0; f < static_cast<int>(Binary::equal); ++f) {
    SCOPED_TRACE(fb::EnumNameBinaryFunction(static_cast<Binary>(f)));
    e.steps = {binary(static_cast<Binary>(f), 0, 1), binary(static_cast<Binary>(f), 1, 2),
               binary(static_cast<Binary>(f), 3, 2, Unary::sigmoid)};
    check(e);
  }
}

/// Blocks end in the middle of rows, at their ends, and behind several of them.
TEST(PointwiseChain, OddShapesAndBroadcasting) {
  const Shape shapes[] = {{},         {1},         {2047},        {2048},       {2049},
                          {9000},     {5, 64},     {7, 63},       {33, 65},     {90, 1},
                          {3, 4099},  {2, 2048},   {700, 2},      {2, 3, 4, 5}, {40, 1, 64},
                          {2, 70, 9}, {3, 1, 200}, {2, 3, 1, 90}, {0, 3}};
  for (const Shape& shape : shapes) {
    Shape row, column = shape;  // of the last axis, and of all others
    if (shape.rank() > 0) row.push_back(shape[shape.rank() - 1]), column[shape.rank() - 1] = 1;
    const TensorData x = numbers(shape, 1);
    for (const Shape& other : {shape, row, column, Shape{}}) {
      const std::vector<Step> steps{binary(Binary::mul, 0, 1),
                                    binary(Binary::sub, 2, 4, Unary::tanh), unary(Unary::square, 5),
                                    binary(Binary::add, 6, 3), binary(Binary::maximum, 0, 7)};
      check_case({{x, numbers(other, 2), numbers({}, 3), numbers(row, 4)}, steps}, shape);
    }
  }
}

/// Results that wait while others are computed.
TEST(PointwiseChain, Trees) {
  for (const Shape& shape : {Shape{3, 1000}, Shape{2049}, Shape{11, 65}}) {
    const Shape row{shape[shape.rank() - 1]};
    const std::vector<TensorData> inputs{numbers(shape, 1), numbers(row, 2), numbers({}, 3)};
    check_case({inputs,
                {unary(Unary::sin, 0), binary(Binary::add, 0, 1), unary(Unary::cos, 0),
                 binary(Binary::mul, 5, 2, Unary::relu), binary(Binary::sub, 4, 6),
                 binary(Binary::mul, 7, 3), binary(Binary::add, 1, 8), unary(Unary::neg, 9)}},
               shape);
    check_case({inputs,
                {binary(Binary::add, 0, 1), unary(Unary::exp, 3), binary(Binary::mul, 3, 4),
                 binary(Binary::add, 4, 5), binary(Binary::sub, 6, 3)}},
               shape);
  }
}

TEST(PointwiseChain, OtherTypes) {
  for (DType dtype : {DType::float16, DType::bfloat16})
    for (const Shape& shape : {Shape{3, 1000}, Shape{2049}, Shape{11, 65}})
      check({{numbers(shape, 1, dtype), numbers({shape[shape.rank() - 1]}, 2, dtype)},
             {unary(Unary::exp, 0), binary(Binary::mul, 1, 2, Unary::tanh),
              binary(Binary::div, 3, 0)}});
}

/// Operands and result of 8-bit integers: the bytes that dequantize, the chain of floats and
/// quantize would give one after the other.
struct IntegerEnds {
  DType x, y;
  bool zeros;  ///< operands and result have zero points

  TensorData zero(DType dtype, int value) const { return tensor_of(dtype, {}, {value * 1.0}); }

  void check(const Shape& shape, const Shape& other) const {
    SCOPED_TRACE(message(shape, ' ', other, ' ', x, ' ', y, ' ', zeros));
    const double low = x == DType::int8 ? -128 : 0;
    const std::vector<TensorData> bytes{
        tensor_of(x, shape, random_numbers(shape.elements(), low, low + 255, 1)),
        tensor_of(x, shape, random_numbers(shape.elements(), low, low + 255, 2))};
    const std::vector<TensorData> scales{numbers_near(0.02f), numbers_near(0.013f),
                                         numbers_near(0.04f)};
    Expression e{{}, {binary(Binary::add, 0, 1), binary(Binary::mul, 3, 2, Unary::relu)}};
    for_each_table([&](const cpu::KernelTable& table) {
      e.inputs.clear();
      for (std::size_t i = 0; i < 2; ++i)
        e.inputs.push_back(convert(fb::OpKind::dequantize, bytes[i], scales[i], x, table));
      e.inputs.push_back(numbers(other, 3));
      const TensorData floats = e.one_by_one(table);
      const TensorData expected =
          y == DType::float32 ? floats : convert(fb::OpKind::quantize, floats, scales[2], y, table);
      const TensorData found = as_chain(e, bytes, scales, table);
      EXPECT_EQ(found.dtype, expected.dtype);
      EXPECT_TRUE(found.bytes == expected.bytes);
    });
  }

 private:
  static TensorData numbers_near(float value) {
    return tensor_of(DType::float32, {}, {static_cast<double>(value)});
  }

  TensorData convert(fb::OpKind op, const TensorData& from, const TensorData& scale, DType dtype,
                     const cpu::KernelTable& table) const {
    fb::QuantizeAttrsT attrs;
    if (op == fb::OpKind::quantize) attrs.to = static_cast<fb::DType>(dtype);
    std::vector<TensorData> operands{from, scale};
    if (zeros) operands.push_back(zero(dtype, 7));
    return run_op(op, attrs, operands, {.table = &table})[0];
  }

  TensorData as_chain(const Expression& e, const std::vector<TensorData>& bytes,
                      const std::vector<TensorData>& scales, const cpu::KernelTable& table) const {
    PointwiseChain chain{};
    for (const Step& step : e.steps) chain.steps[chain.count++] = step;
    std::vector<TensorData> inputs{bytes[0], bytes[1], e.inputs[2]};
    chain.inputs = static_cast<int>(inputs.size());
    const auto add = [&](const TensorData& scale, DType dtype) {
      PointwiseChain::Scale at{static_cast<int>(inputs.size()), 0};
      inputs.push_back(scale);
      if (zeros) at.zero = static_cast<int>(inputs.size()), inputs.push_back(zero(dtype, 7));
      return at;
    };
    for (std::size_t i = 0; i < 2; ++i) chain.stored[i] = add(scales[i], x);
    if (y != DType::float32) chain.result = add(scales[2], y), chain.result_dtype = y;
    const OpResult result =
        run_op(fb::OpKind::none, {}, operands_of(inputs),
               {.table = &table, .threads = 3, .row = &pointwise_chain_op(), .attributes = &chain});
    EXPECT_TRUE(result.status.ok());
    return result[0];
  }
};

TEST(PointwiseChain, OfIntegers) {
  for (const Shape& shape : {Shape{}, Shape{2049}, Shape{7, 63}, Shape{33, 65}, Shape{0, 3}}) {
    Shape row, column = shape;
    if (shape.rank() > 0) row.push_back(shape[shape.rank() - 1]), column[shape.rank() - 1] = 1;
    for (const Shape& other : {row, column})
      for (DType y : {DType::int8, DType::uint8, DType::float32}) {
        IntegerEnds{DType::int8, y, true}.check(shape, other);
        IntegerEnds{DType::uint8, y, false}.check(shape, other);
      }
  }
}

}  // namespace
}  // namespace skiff::test
