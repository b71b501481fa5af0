#include <gtest/gtest.h>

#include <cmath>

#include "converters/passes/clean.h"
#include "converters/passes/integer_products.h"
#include "converters/passes/weight_grid.h"
#include "tests/converters/pass_support.h"

// Products of dequantized numbers that multiply the integers.
namespace skiff::testing {
namespace {

using fb::OpKind;
using passes::grid_of;
using passes::integer_products;

ValueId number(Graph& graph, fb::DType type, double value) {
  const std::string name = std::to_string(graph.value_count());
  if (type == fb::DType::int8)
    return graph.add_constant<std::int8_t>(name, {}, std::vector{static_cast<std::int8_t>(value)});
  return graph.add_constant<std::uint8_t>(name, {}, std::vector{static_cast<std::uint8_t>(value)});
}

/// floats -> integers (`kind` quantize), or back.
ValueId convert(Graph& graph, OpKind kind, ValueId x, fb::DType type, float scale, double zero) {
  fb::QuantizeAttrsT attrs;
  attrs.to = kind == OpKind::quantize ? type : fb::DType::none;
  return graph.add(kind, attrs, {x, constant(graph, {}, {scale}), number(graph, type, zero)},
                   "converted");
}

ValueId pair(Graph& graph, ValueId x, fb::DType type, float scale, double zero) {
  const ValueId stored = convert(graph, OpKind::quantize, x, type, scale, zero);
  return convert(graph, OpKind::dequantize, stored, type, scale, zero);
}

/// Random multiples of a scale of its own for each row.
ValueId grid_constant(Graph& graph, const Shape& shape) {
  const ValueId steps = random_constant(graph, shape, -127, 127);
  std::vector<float> numbers;
  std::size_t i = 0;
  const auto depth = static_cast<std::size_t>(shape.elements() / shape[0]);
  for (const double step : ir::numbers(graph.value(steps))) {
    const float scale = 0.003f * static_cast<float>(1 + i++ / depth);
    numbers.push_back(static_cast<float>(std::round(step)) * scale);
  }
  return constant(graph, shape, numbers);
}

struct Layer {
  Shape input{2, 5, 6, 8};
  fb::DType type = fb::DType::uint8;
  fb::UnaryFunction activation = fb::UnaryFunction::relu;
  bool quantized_result = true, residual = false;
};

/// Two convolutions with rounded numbers before, between and behind them.
Graph two_layers(const Layer& layer) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, layer.input);
  ValueId y = pair(graph, x, layer.type, 0.011f, 3);
  for (const std::int64_t channels : {12, 7}) {
    fb::ConvAttrsT attrs;
    attrs.pads = {1, 1, 1, 1};
    attrs.activation = layer.activation;
    const std::int64_t cin = graph.value(y).shape.back();
    std::vector<ValueId> operands{y, grid_constant(graph, {channels, 3, 3, cin}),
                                  random_constant(graph, {channels})};
    if (layer.residual)
      operands.push_back(
          random_constant(graph, {layer.input[0], layer.input[1], layer.input[2], channels}));
    y = graph.add(OpKind::conv, attrs, operands, "conv");
    if (layer.quantized_result) y = pair(graph, y, layer.type, 0.05f, 3);
  }
  graph.outputs = {y};
  return graph;
}

// Half a step of the last quantization, where rounding floats moved a number across a middle.
constexpr double kStep = 0.02;

TEST(IntegerProducts, ConvolutionsTakeAndGiveIntegers) {
  for (const fb::DType type : {fb::DType::uint8, fb::DType::int8}) {
    Graph graph = two_layers({.type = type});
    optimise(graph, integer_products, kStep);
    EXPECT_EQ(count(graph, OpKind::integer_conv), 2u);
    EXPECT_EQ(count(graph, OpKind::conv), 0u);
    EXPECT_EQ(count(graph, OpKind::quantize), 1u) << "only the input's is left";
    EXPECT_EQ(count(graph, OpKind::dequantize), 1u) << "only the output's is left";
  }
}

TEST(IntegerProducts, OtherActivationsGiveFloats) {
  Graph graph = two_layers({.activation = fb::UnaryFunction::hard_swish});
  optimise(graph, integer_products, kStep);
  EXPECT_EQ(count(graph, OpKind::integer_conv), 2u);
  EXPECT_EQ(count(graph, OpKind::quantize), 3u);
}

TEST(IntegerProducts, AResidualIsAddedBehind) {
  Graph graph = two_layers({.residual = true});
  optimise(graph, integer_products, kStep);
  EXPECT_EQ(count(graph, OpKind::integer_conv), 2u);
  EXPECT_EQ(count(graph, OpKind::binary), 2u);
}

TEST(IntegerProducts, FloatsBetweenStayFloats) {
  Graph graph = two_layers({.quantized_result = false});
  optimise(graph, integer_products, 1e-5);
  EXPECT_EQ(count(graph, OpKind::integer_conv), 1u);
  EXPECT_EQ(count(graph, OpKind::conv), 1u);
}

/// A matrix product, of any rank and either order of its weights.
Graph product(const Shape& a, bool transposed, float scale) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, a);
  const std::int64_t k = a.back(), n = 9;
  ValueId b = grid_constant(graph, {n, k});
  if (!transposed) b = transpose(graph, b, {1, 0});
  fb::MatMulAttrsT attrs;
  attrs.transpose_b = transposed, attrs.scale = scale;
  const ValueId y = graph.add(
      OpKind::matmul, attrs,
      {pair(graph, x, fb::DType::int8, 0.01f, -4), b, random_constant(graph, {n})}, "product");
  graph.outputs = {pair(graph, y, fb::DType::uint8, 0.04f, 100)};
  return graph;
}

TEST(IntegerProducts, MatricesAreWindowsOfOne) {
  for (const Shape& a : {Shape{5}, Shape{4, 6}, Shape{2, 3, 17}, Shape{2, 3, 4, 5}})
    for (const bool transposed : {false, true})
      for (const float scale : {1.0f, -0.125f}) {
        Graph graph = product(a, transposed, scale);
        optimise(graph, passes::fold_constants, 0);
        optimise(graph, integer_products, kStep);
        EXPECT_EQ(count(graph, OpKind::integer_conv), 1u);
        EXPECT_EQ(count(graph, OpKind::matmul), 0u);
      }
}

TEST(IntegerProducts, WeightsOffAnyGridStayFloats) {
  Graph graph;
  const ValueId x =
      pair(graph, graph.add_input("x", DType::float32, {1, 4, 4, 8}), fb::DType::uint8, 0.01f, 0);
  graph.outputs = {
      graph.add(OpKind::conv, fb::ConvAttrsT(), {x, random_constant(graph, {6, 1, 1, 8})}, "conv")};
  optimise(graph, integer_products, 0);
  EXPECT_EQ(count(graph, OpKind::conv), 1u);
}

TEST(WeightGrid, IsTheCoarsestThatHoldsThemAll) {
  const auto grid = grid_of(std::vector<float>{0.5f, -1.5f, 0, 2});
  ASSERT_TRUE(grid);
  EXPECT_EQ(grid->scale, 0.5f);
  EXPECT_EQ(grid->step(-1.5f), -3);
  EXPECT_EQ(grid_of(std::vector<float>{-128 * 0.7f, 0.7f})->step(-128 * 0.7f), -128);
  EXPECT_EQ(grid_of(std::vector<float>{0, 0})->step(0), 0);
}

TEST(WeightGrid, IsNotFoundWhereThereIsNone) {
  EXPECT_FALSE(grid_of(std::vector<float>{128 * 0.7f, 0.7f})) << "+128 is no int8";
  EXPECT_FALSE(grid_of(std::vector<float>{1, 0.0039f}));
  EXPECT_FALSE(grid_of(std::vector<float>{1, std::nanf("")}));
  EXPECT_FALSE(grid_of(std::vector<float>{1, INFINITY}));
  EXPECT_FALSE(grid_of(std::vector<float>{1e-45f, -1e-45f})) << "no scale that float32 rounds";
}

}  // namespace
}  // namespace skiff::testing
