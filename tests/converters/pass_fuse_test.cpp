#include <gtest/gtest.h>

#include <cmath>

#include "converters/passes/fuse/fuse.h"
#include "tests/converters/pass_support.h"

namespace skiff::testing {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

ValueId number(Graph& graph, double value) {
  return constant(graph, {}, {static_cast<float>(value)});
}

/// The one unary function that is left of an exported activation.
void expect_activation(Graph& graph, UnaryFunction function) {
  optimise(graph, 2e-5);
  ASSERT_EQ(graph.order().size(), 1u);
  const ir::Node& node = graph.node(graph.order()[0]);
  ASSERT_EQ(node.op, OpKind::unary);
  EXPECT_EQ(node.attrs.get<fb::UnaryAttrs>().function(), function);
}

TEST(FuseActivations, HardSwishInItsExportedForms) {
  for (int form = 0; form < 3; ++form) {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::float32, {2, 3});
    ValueId gate = binary(graph, BinaryFunction::add, x, number(graph, 3));
    gate = unary(graph, UnaryFunction::clip, gate, 0, 6);
    if (form == 0)
      graph.outputs = {binary(graph, BinaryFunction::div,
                              binary(graph, BinaryFunction::mul, x, gate), number(graph, 6))};
    if (form == 1)
      graph.outputs = {binary(graph, BinaryFunction::mul, x,
                              binary(graph, BinaryFunction::mul, gate, number(graph, 1.0 / 6)))};
    if (form == 2)
      graph.outputs = {binary(graph, BinaryFunction::mul,
                              binary(graph, BinaryFunction::div, gate, number(graph, 6)), x)};
    expect_activation(graph, UnaryFunction::hard_swish);
  }
}

TEST(FuseActivations, SwishMishAndSoftplus) {
  Graph swish;
  ValueId x = swish.add_input("x", DType::float32, {4});
  swish.outputs = {binary(swish, BinaryFunction::mul, unary(swish, UnaryFunction::sigmoid, x), x)};
  expect_activation(swish, UnaryFunction::swish);
  Graph mish;
  x = mish.add_input("x", DType::float32, {4});
  const ValueId e = unary(mish, UnaryFunction::exp, x);
  const ValueId soft =
      unary(mish, UnaryFunction::log, binary(mish, BinaryFunction::add, e, number(mish, 1)));
  mish.outputs = {binary(mish, BinaryFunction::mul, x, unary(mish, UnaryFunction::tanh, soft))};
  expect_activation(mish, UnaryFunction::mish);
}

TEST(FuseActivations, GeluOfBothKinds) {
  Graph exact;
  ValueId x = exact.add_input("x", DType::float32, {5});
  ValueId e = unary(exact, UnaryFunction::erf,
                    binary(exact, BinaryFunction::div, x, number(exact, std::sqrt(2.0))));
  e = binary(exact, BinaryFunction::mul, x,
             binary(exact, BinaryFunction::add, e, number(exact, 1)));
  exact.outputs = {binary(exact, BinaryFunction::mul, e, number(exact, 0.5))};
  expect_activation(exact, UnaryFunction::gelu_erf);

  Graph tanh;
  x = tanh.add_input("x", DType::float32, {5});
  ValueId cubic = binary(tanh, BinaryFunction::pow, x, number(tanh, 3));
  cubic = binary(tanh, BinaryFunction::mul, cubic, number(tanh, 0.044715));
  ValueId t = binary(tanh, BinaryFunction::mul, binary(tanh, BinaryFunction::add, x, cubic),
                     number(tanh, 0.7978845608));
  t = binary(tanh, BinaryFunction::add, unary(tanh, UnaryFunction::tanh, t), number(tanh, 1));
  tanh.outputs = {binary(tanh, BinaryFunction::mul,
                         binary(tanh, BinaryFunction::mul, x, number(tanh, 0.5)), t)};
  expect_activation(tanh, UnaryFunction::gelu_tanh);
}

TEST(FuseActivations, ASharedPartStays) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {4});
  const ValueId gate = unary(graph, UnaryFunction::sigmoid, x);
  graph.outputs = {binary(graph, BinaryFunction::mul, x, gate), gate};
  optimise(graph);
  EXPECT_EQ(graph.order().size(), 2u);
}

TEST(FuseNorms, LayerNormWithScaleAndBias) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 3, 8});
  const ValueId d =
      binary(graph, BinaryFunction::sub, x, reduce(graph, fb::ReduceFunction::mean, x, {2}));
  const ValueId square = binary(graph, BinaryFunction::pow, d, number(graph, 2));
  ValueId v = reduce(graph, fb::ReduceFunction::mean, square, {2});
  v = unary(graph, UnaryFunction::sqrt, binary(graph, BinaryFunction::add, v, number(graph, 1e-5)));
  ValueId y = binary(graph, BinaryFunction::div, d, v);
  y = binary(graph, BinaryFunction::mul, y, random_constant(graph, {8}));
  graph.outputs = {binary(graph, BinaryFunction::add, y, random_constant(graph, {8}))};
  optimise(graph);
  ASSERT_EQ(graph.order().size(), 1u);
  EXPECT_EQ(count(graph, OpKind::layer_norm), 1u);
}

TEST(FuseAffine, BatchNormAroundAPaddedConv) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 4, 6, 5});
  ValueId y = binary(graph, BinaryFunction::mul, x, random_constant(graph, {1, 4, 1, 1}));
  y = nchw_conv(graph, y, 3);
  y = binary(graph, BinaryFunction::mul, y, random_constant(graph, {1, 3, 1, 1}));
  y = binary(graph, BinaryFunction::sub, y, random_constant(graph, {3, 1, 1}));
  y = unary(graph, UnaryFunction::leaky_relu, y, 0.1f);
  graph.outputs = {y};
  optimise(graph);
  EXPECT_EQ(count(graph, OpKind::binary) + count(graph, OpKind::unary), 0u);
}

TEST(FuseAffine, ASumBeforeAPaddedConvStays) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 4, 6, 5});
  const ValueId y = binary(graph, BinaryFunction::add, x, random_constant(graph, {1, 4, 1, 1}));
  graph.outputs = {nchw_conv(graph, y, 3)};
  optimise(graph);
  EXPECT_EQ(count(graph, OpKind::binary), 1u);
}

TEST(FuseAffine, AroundAMatmul) {
  Graph graph;
  ValueId y = graph.add_input("x", DType::float32, {3, 4});
  y = binary(graph, BinaryFunction::add, y, random_constant(graph, {4}));
  y = binary(graph, BinaryFunction::div, y, random_constant(graph, {4}, 1, 2));
  y = graph.add(OpKind::matmul, fb::MatMulAttrsT(), {y, random_constant(graph, {4, 5})}, "fc");
  y = binary(graph, BinaryFunction::mul, y, random_constant(graph, {5}));
  graph.outputs = {binary(graph, BinaryFunction::add, y, random_constant(graph, {1, 5}))};
  optimise(graph);
  EXPECT_EQ(graph.order().size(), 1u);
}

TEST(FuseEpilogues, ResidualThenActivation) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 4, 6, 5});
  const ValueId a = nchw_conv(graph, x, 4);
  const ValueId b = nchw_conv(graph, unary(graph, UnaryFunction::relu, a), 4);
  graph.outputs = {unary(graph, UnaryFunction::relu, binary(graph, BinaryFunction::add, b, a))};
  optimise(graph);
  EXPECT_EQ(count(graph, OpKind::binary), 0u);
  EXPECT_EQ(count(graph, OpKind::conv), 2u);
}

TEST(FusePixelShuffle, BothOrdersOfTheChannels) {
  for (const bool crd : {true, false}) {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::float32, {1, 3, 4, 5});
    const ValueId y = nchw_conv(graph, x, 8);
    ValueId z = reshape(graph, y, {1, 2, 2, 2, 4, 5});
    z = transpose(graph, z,
                  crd ? std::vector<std::int64_t>{0, 1, 4, 2, 5, 3}
                      : std::vector<std::int64_t>{0, 3, 4, 1, 5, 2});
    graph.outputs = {reshape(graph, z, {1, 2, 8, 10})};
    optimise(graph);
    EXPECT_EQ(count(graph, OpKind::depth_to_space), 1u);
    EXPECT_EQ(inner_transposes(graph), 0u);
  }
}

TEST(FusePads, ZerosIntoConvAndPool) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {1, 6, 5, 3});
  fb::PadAttrsT pad;
  pad.pads = {0, 1, 0, 0, 0, 0, 2, 0};
  const ValueId padded = graph.add(OpKind::pad, pad, {x}, "pad");
  const ValueId y = graph.add(OpKind::conv, fb::ConvAttrsT(),
                              {padded, random_constant(graph, {4, 3, 3, 3})}, "conv");
  fb::PoolAttrsT pool;
  pool.function = fb::PoolFunction::average;
  pool.kernel = {2, 2};
  const ValueId z = graph.add(OpKind::pad, pad, {y}, "pad2");
  graph.outputs = {graph.add(OpKind::pool, pool, {z}, "pool")};
  optimise(graph);
  EXPECT_EQ(count(graph, OpKind::pad), 0u);
}

}  // namespace
}  // namespace skiff::testing
