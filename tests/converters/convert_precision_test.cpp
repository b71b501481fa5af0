#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converters/passes/check.h"
#include "converters/precision/precision.h"
#include "converters/precision/round.h"
#include "runtime/core/half.h"

namespace skiff::precision {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::ValueId;

ValueId constant(Graph& graph, const Shape& shape, std::vector<float> numbers) {
  numbers.resize(static_cast<std::size_t>(shape.elements()), numbers.back());
  return graph.add_constant(std::to_string(graph.value_count()), shape,
                            std::span<const float>(numbers));
}

ValueId product(Graph& graph, ValueId x, ValueId w, const char* name) {
  return graph.add(fb::OpKind::matmul, fb::MatMulAttrsT{}, {x, w}, name);
}

ValueId sum(Graph& graph, ValueId a, ValueId b, const char* name) {
  return graph.add(fb::OpKind::binary, fb::BinaryAttrsT{}, {a, b}, name);
}

std::string outline(const Graph& graph) {
  std::string text;
  for (NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    text += std::string(name_of(node.op)) + "(";
    for (ValueId input : node.inputs) text += std::string(name_of(graph.value(input).dtype)) + " ";
    text += "-> " + std::string(name_of(graph.value(node.outputs[0]).dtype)) + ") ";
  }
  return text;
}

TEST(Precision, CastsStandAtTheBordersOnly) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 3});
  const ValueId w = constant(graph, {3, 3}, {0.5f});
  const ValueId hidden = product(graph, x, w, "first");
  const ValueId again = sum(graph, product(graph, hidden, w, "second"), x, "sum");
  graph.outputs = {hidden, again};
  const Outcome outcome = store_as(graph, DType::float16, {});
  passes::check_graph(graph);
  EXPECT_EQ(outline(graph),
            "cast(float32 -> float16) matmul(float16 float16 -> float16) "
            "cast(float16 -> float32) matmul(float16 float16 -> float16) "
            "binary(float16 float16 -> float16) cast(float16 -> float32) ");
  EXPECT_EQ(graph.value(hidden).dtype, DType::float32);
  EXPECT_EQ(graph.value(hidden).name, "first");
  EXPECT_EQ(outcome.nodes, 3u);
  EXPECT_EQ(outcome.casts, 3u);
  EXPECT_TRUE(outcome.kept.empty());
}

TEST(Precision, WhatDoesNotSurviveStaysFloat32) {
  const struct {
    float number;
    DType type;
    bool stays;
  } cases[] = {{1.0f, DType::float16, false},      {7e4f, DType::float16, true},
               {7e4f, DType::bfloat16, false},     {1e-12f, DType::float16, true},
               {1e-12f, DType::bfloat16, false},   {65504.0f, DType::float16, false},
               {-INFINITY, DType::float16, false}, {0.0f, DType::float16, false}};
  for (const auto& c : cases) {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::float32, {2});
    graph.outputs = {sum(graph, x, constant(graph, {2}, {c.number}), "sum")};
    const Outcome outcome = store_as(graph, c.type, {});
    passes::check_graph(graph);
    EXPECT_EQ(outcome.kept.size(), c.stays ? 1u : 0u) << c.number;
    EXPECT_EQ(outcome.casts, c.stays ? 0u : 2u) << c.number;
  }
}

TEST(Precision, MeasuredActivationsNearTheEndKeepTheirNodes) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 3});
  const ValueId w = constant(graph, {3, 3}, {0.5f});
  const ValueId large = product(graph, x, w, "large");
  graph.outputs = {product(graph, product(graph, large, w, "reads"), w, "last")};
  std::vector<fb::FingerprintT> measured(1);
  measured[0].value = large;
  measured[0].max_abs = 30000;
  const Outcome outcome = store_as(graph, DType::float16, measured);
  passes::check_graph(graph);
  ASSERT_EQ(outcome.kept.size(), 2u);
  EXPECT_EQ(outcome.kept[0].node, "large");
  EXPECT_EQ(outcome.kept[1].node, "reads");
  EXPECT_NE(outcome.kept[0].reason.find("30000"), std::string::npos) << outcome.kept[0].reason;
  // Their weights are stored in 16 bits all the same.
  EXPECT_EQ(outline(graph),
            "matmul(float32 float16 -> float32) matmul(float32 float16 -> float32) "
            "cast(float32 -> float16) matmul(float16 float16 -> float16) "
            "cast(float16 -> float32) ");
}

/// Of products with constant weights whose operands are float16 then, when that is asked for.
TEST(Precision, SumsInFloat16AreAllowedWhereTheyCanBe) {
  for (const bool asked : {false, true}) {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::float32, {1, 4, 4, 3});
    const ValueId window =
        graph.add(fb::OpKind::conv, fb::ConvAttrsT{},
                  {x, constant(graph, {3, 2, 2, 3}, {0.5f}), constant(graph, {3}, {1})}, "window");
    const ValueId w = constant(graph, {3, 3}, {0.5f});
    const ValueId dense = product(graph, window, w, "dense");
    const ValueId large = product(graph, dense, w, "large");  // reads what reaches too far
    graph.outputs = {large, product(graph, window, window, "both variable")};
    std::vector<fb::FingerprintT> measured(1);
    measured[0].value = dense;
    measured[0].max_abs = 30000;
    const Outcome outcome = store_as(graph, DType::float16, measured, asked);
    passes::check_graph(graph);
    EXPECT_EQ(outcome.half_summed, asked ? 1u : 0u);
    for (NodeId id : graph.order()) {
      const ir::Node& node = graph.node(id);
      const fb::DType expected =
          asked && node.name == "window" ? fb::DType::float16 : fb::DType::none;
      if (node.op == fb::OpKind::conv) {
        EXPECT_EQ(node.attrs.unpack<fb::ConvAttrs>().sums, expected) << node.name;
      }
      if (node.op == fb::OpKind::matmul) {
        EXPECT_EQ(node.attrs.unpack<fb::MatMulAttrs>().sums, expected) << node.name;
      }
    }
  }
}

TEST(Precision, IntegersAndTheirNodesAreLeftAlone) {
  Graph graph;
  const ValueId ids = graph.add_input("ids", DType::int64, {4});
  const ValueId table = constant(graph, {10, 3}, {0.25f});
  fb::GatherAttrsT rows;
  const ValueId looked = graph.add(fb::OpKind::gather, rows, {table, ids}, "look");
  fb::CastAttrsT to_float;
  const ValueId numbers = graph.add(fb::OpKind::cast, to_float, {ids}, "numbers");
  fb::ShapeAttrsT column;
  column.shape = {4, 1};
  const ValueId tall = graph.add(fb::OpKind::reshape, column, {numbers}, "tall");
  graph.outputs = {sum(graph, looked, tall, "sum")};
  const Outcome outcome = store_as(graph, DType::float16, {});
  passes::check_graph(graph);
  EXPECT_EQ(outline(graph),
            "gather(float16 int64 -> float16) cast(int64 -> float32) cast(float32 -> float16) "
            "reshape(float16 -> float16) binary(float16 float16 -> float16) "
            "cast(float16 -> float32) ");
  ASSERT_EQ(outcome.kept.size(), 1u);
  EXPECT_EQ(outcome.kept[0].node, "numbers");
}

TEST(Precision, ConstantsAreRoundedToNearestEven) {
  Graph graph;
  const std::vector<float> numbers = {1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, -2.5f};
  const ValueId id = graph.add_constant("c", {3}, std::span<const float>(numbers));
  const Rounded rounded = round_constant(graph.value(id), DType::float16);
  std::uint16_t bits[3];
  ASSERT_EQ(rounded.bytes.size(), sizeof bits);
  std::memcpy(bits, rounded.bytes.data(), sizeof bits);
  EXPECT_EQ(half_to_float(bits[0]), 1.0f);
  EXPECT_EQ(half_to_float(bits[1]), 1.0f + 0x1p-9f);
  EXPECT_EQ(half_to_float(bits[2]), -2.5f);
  EXPECT_EQ(rounded.loss, "");
}

}  // namespace
}  // namespace skiff::precision
