#include <gtest/gtest.h>

#include "converters/passes/layout/layout.h"
#include "converters/passes/layout/reshape_groups.h"
#include "tests/converters/pass_support.h"

namespace skiff::testing {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

Graph image_graph(ValueId& x, const Shape& shape = {1, 3, 6, 5}) {
  Graph graph;
  x = graph.add_input("x", DType::float32, shape);
  return graph;
}

TEST(Layout, ConvChainKeepsTransposesAtTheEdgesOnly) {
  ValueId x;
  Graph graph = image_graph(x);
  ValueId y = nchw_conv(graph, x, 4);
  y = unary(graph, UnaryFunction::relu, y);
  y = nchw_conv(graph, y, 8);
  graph.outputs = {y};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
  EXPECT_EQ(count(graph, OpKind::conv), 2u);
  EXPECT_EQ(graph.order().size(), 4u);  // a transpose, two convs, a transpose
}

TEST(Layout, BranchesConcatSliceAndPad) {
  ValueId x;
  Graph graph = image_graph(x);
  const ValueId a = nchw_conv(graph, x, 4);
  const ValueId b = nchw_conv(graph, x, 2);
  fb::AxisAttrsT axis;
  axis.axis = 1;
  const ValueId joined = graph.add(OpKind::concat, axis, {a, b}, "concat");
  fb::SliceAttrsT slice;
  slice.starts = {0, 1, 0, 1};
  slice.sizes = {1, 4, 6, 2};
  slice.steps = {1, 1, 1, 2};
  const ValueId part = graph.add(OpKind::slice, slice, {joined}, "slice");
  fb::PadAttrsT pad;
  pad.pads = {0, 1, 0, 2, 0, 1, 1, 0};
  const ValueId padded = graph.add(OpKind::pad, pad, {part}, "pad");
  graph.outputs = {nchw_conv(graph, padded, 3)};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, BroadcastOperandsOfLowerRankFollow) {
  ValueId x;
  Graph graph = image_graph(x);
  ValueId y = nchw_conv(graph, x, 4);
  y = binary(graph, BinaryFunction::maximum, y, random_constant(graph, {4, 1, 1}));
  y = binary(graph, BinaryFunction::minimum, y, random_constant(graph, {6, 5}));
  graph.outputs = {nchw_conv(graph, y, 2)};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, SqueezeAndExcite) {
  ValueId x;
  Graph graph = image_graph(x);
  const ValueId y = nchw_conv(graph, x, 4);
  const ValueId mean = reduce(graph, fb::ReduceFunction::mean, y, {2, 3});
  ValueId gate = nchw_conv(graph, mean, 2, 1);
  gate = nchw_conv(graph, unary(graph, UnaryFunction::relu, gate), 4, 1);
  gate = unary(graph, UnaryFunction::sigmoid, gate);
  graph.outputs = {nchw_conv(graph, binary(graph, BinaryFunction::mul, y, gate), 2)};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, QuantizedPairsBetweenConvolutions) {
  for (const Shape& scales : {Shape{}, Shape{4}}) {
    ValueId x;
    Graph graph = image_graph(x);
    fb::QuantizeAttrsT attrs;
    attrs.to = fb::DType::int8;
    attrs.axis = 1;
    const ValueId scale = random_constant(graph, scales, 0.1f, 1);
    ValueId y = nchw_conv(graph, x, 4);
    y = graph.add(OpKind::quantize, attrs, {y, scale}, "quantize");
    attrs.to = fb::DType::none;
    y = graph.add(OpKind::dequantize, attrs, {y, scale}, "dequantize");
    graph.outputs = {nchw_conv(graph, y, 2)};
    optimise(graph);
    EXPECT_EQ(inner_transposes(graph), 0u);
    EXPECT_EQ(count(graph, OpKind::quantize), scales.rank() == 0 ? 0u : 1u);
  }
}

TEST(Layout, FlattenBeforeAProductGoesIntoItsWeights) {
  ValueId x;
  Graph graph = image_graph(x);
  const ValueId y = nchw_conv(graph, x, 4);
  const ValueId flat = reshape(graph, y, {1, 4 * 6 * 5});
  const ValueId weights = random_constant(graph, {4 * 6 * 5, 7});
  graph.outputs = {graph.add(OpKind::matmul, fb::MatMulAttrsT(), {flat, weights}, "fc")};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, ChannelShuffleWithUnitSlicesLeavesNoTranspose) {
  ValueId x;
  Graph graph = image_graph(x);
  const ValueId y = nchw_conv(graph, x, 8);
  ValueId z = reshape(graph, y, {4, 2, 30});
  z = transpose(graph, z, {1, 0, 2});
  z = reshape(graph, z, {2, 1, 4, 6, 5});
  const std::int64_t one = 1;
  const ValueId index = graph.add_constant<std::int64_t>("index", {}, std::span(&one, 1));
  const ValueId part = graph.add(OpKind::gather, fb::GatherAttrsT(), {z, index}, "gather");
  graph.outputs = {nchw_conv(graph, part, 2)};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, TransposesRiseToTheInputThroughPreprocessing) {
  ValueId x;
  Graph graph = image_graph(x);
  ValueId y = binary(graph, BinaryFunction::minimum, x, random_constant(graph, {3, 1, 1}));
  y = unary(graph, UnaryFunction::tanh, y);
  graph.outputs = {nchw_conv(graph, y, 4)};
  optimise(graph);
  EXPECT_EQ(inner_transposes(graph), 0u);
}

TEST(Layout, MovedReshapeOfNhwcChannels) {
  // [1, 5, 6, 8] channels-last, seen channels-first, splits its channels and joins its image axes.
  const auto moved = passes::move_reshape({1, 5, 6, 8}, {0, 3, 1, 2}, {4, 2, 30});
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(moved->shape, (Shape{30, 4, 2}));
  EXPECT_EQ(moved->output, (passes::Perm{1, 2, 0}));
  // Joining channels and image axes is no matter of order alone.
  EXPECT_FALSE(passes::move_reshape({1, 5, 6, 8}, {0, 3, 1, 2}, {1, 240}).has_value());
}

}  // namespace
}  // namespace skiff::testing
