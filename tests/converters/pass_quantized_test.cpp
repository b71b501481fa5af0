#include <gtest/gtest.h>

#include "converters/passes/quantized_pairs.h"
#include "tests/converters/pass_support.h"

// Integers between floats that are rounded floats instead.
namespace skiff::testing {
namespace {

using fb::OpKind;
using passes::round_quantized_pairs;

/// The parameters of a quantized tensor; `scales` of them are alike, along axis 1.
struct Quantized {
  fb::DType type = fb::DType::int8;
  float scale = 0.25f;
  double zero = 0;
  std::int64_t scales = 0;  ///< 0: one, for the whole
};

template <typename T>
ValueId zero_point(Graph& graph, const Shape& shape, double number) {
  return graph.add_constant<T>(
      std::to_string(graph.value_count()), shape,
      std::vector<T>(static_cast<std::size_t>(shape.elements()), static_cast<T>(number)));
}

std::vector<ValueId> operands(Graph& graph, ValueId x, const Quantized& q) {
  const Shape shape = q.scales == 0 ? Shape{} : Shape{q.scales};
  std::vector<float> scales;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    scales.push_back(q.scale * static_cast<float>(1 + i));
  std::vector<ValueId> all{x, constant(graph, shape, scales)};
  if (q.type == fb::DType::int8) all.push_back(zero_point<std::int8_t>(graph, shape, q.zero));
  if (q.type == fb::DType::uint8) all.push_back(zero_point<std::uint8_t>(graph, shape, q.zero));
  if (q.type == fb::DType::int16) all.push_back(zero_point<std::int16_t>(graph, shape, q.zero));
  if (q.type == fb::DType::uint16) all.push_back(zero_point<std::uint16_t>(graph, shape, q.zero));
  return all;
}

ValueId quantize(Graph& graph, ValueId x, const Quantized& q) {
  fb::QuantizeAttrsT attrs;
  attrs.to = q.type;
  return graph.add(OpKind::quantize, attrs, operands(graph, x, q), "quantize");
}

ValueId dequantize(Graph& graph, ValueId x, const Quantized& q) {
  fb::QuantizeAttrsT attrs;
  attrs.to = fb::DType::none;
  return graph.add(OpKind::dequantize, attrs, operands(graph, x, q), "dequantize");
}

/// Inputs of size 1 times `factor`, and a product behind so that no pair gives an output.
Graph pair_graph(const Quantized& to, const Quantized& back, float factor) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {5, 4, 31});
  const ValueId wide = binary(graph, fb::BinaryFunction::mul, x, constant(graph, {}, {factor}));
  const ValueId y = dequantize(graph, quantize(graph, wide, to), back);
  graph.outputs = {binary(graph, fb::BinaryFunction::mul, y, y)};
  return graph;
}

void expect_rounded(Graph graph) {
  optimise(graph, round_quantized_pairs, 0);
  EXPECT_EQ(count(graph, OpKind::quantize) + count(graph, OpKind::dequantize), 0u);
}

void expect_kept(Graph graph) {
  const std::size_t before = graph.order().size();
  optimise(graph, round_quantized_pairs, 0);
  EXPECT_EQ(graph.order().size(), before);
}

/// Within the type's range and far beyond it at both ends.
TEST(QuantizedPairs, AreTheSameNumbersToTheBit) {
  for (const Quantized& q :
       {Quantized{fb::DType::int8, 0.037f, 0}, Quantized{fb::DType::int8, 0.037f, -11},
        Quantized{fb::DType::uint8, 0.021f, 128}, Quantized{fb::DType::uint8, 0.5f, 0},
        Quantized{fb::DType::int16, 0.0001f, 77}, Quantized{fb::DType::uint16, 1, 32768}})
    for (const float factor : {1.0f, 30.0f, 1e6f}) expect_rounded(pair_graph(q, q, factor));
}

TEST(QuantizedPairs, SeveralReadersAndAnOutput) {
  const Quantized q{fb::DType::uint8, 0.05f, 9};
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {3, 7});
  const ValueId integers = quantize(graph, x, q);
  const ValueId first = dequantize(graph, integers, q), second = dequantize(graph, integers, q);
  graph.outputs = {unary(graph, fb::UnaryFunction::exp, first), second};
  expect_rounded(graph);
}

TEST(QuantizedPairs, OthersAreKept) {
  const Quantized q;
  expect_kept(pair_graph(q, {q.type, 0.5f}, 30));                           // another scale
  expect_kept(pair_graph(q, {q.type, q.scale, 3}, 30));                     // another zero
  expect_kept(pair_graph({q.type, 0.1f, 0, 4}, {q.type, 0.1f, 0, 4}, 30));  // one a channel
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {3, 7});
  const ValueId integers = quantize(graph, x, q);
  graph.outputs = {integers, unary(graph, fb::UnaryFunction::exp, dequantize(graph, integers, q))};
  expect_kept(graph);
}

}  // namespace
}  // namespace skiff::testing
