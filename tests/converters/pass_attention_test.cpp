#include <gtest/gtest.h>

#include <cmath>

#include "converters/passes/fuse/fuse.h"
#include "tests/converters/pass_support.h"

// Attention from the parts that exporters write, and graphs that only look like it.
namespace skiff::testing {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

ValueId matmul(Graph& graph, ValueId a, ValueId b, bool transpose_b = false, float scale = 1) {
  fb::MatMulAttrsT attrs;
  attrs.transpose_b = transpose_b;
  attrs.scale = scale;
  return graph.add(OpKind::matmul, attrs, {a, b}, "matmul");
}

ValueId softmax(Graph& graph, ValueId x, int axis) {
  fb::SoftmaxAttrsT attrs;
  attrs.axis = axis;
  return graph.add(OpKind::softmax, attrs, {x}, "softmax");
}

ValueId number(Graph& graph, float value) { return constant(graph, {}, {value}); }

/// [2, 6, 12] through a layer of its own, as [2, 6, 3 heads, 4].
ValueId heads(Graph& graph, ValueId x) {
  return reshape(graph, matmul(graph, x, random_constant(graph, {12, 12})), {2, 6, 3, 4});
}

/// BERT's layers as PyTorch's older exporter writes them; `mask` changes the scores.
template <typename Mask>
Graph encoder(Mask mask) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::float32, {2, 6, 12});
  const ValueId q = transpose(graph, heads(graph, x), {0, 2, 1, 3});
  const ValueId k = transpose(graph, heads(graph, x), {0, 2, 3, 1});
  const ValueId v = transpose(graph, heads(graph, x), {0, 2, 1, 3});
  ValueId scores = binary(graph, BinaryFunction::div, matmul(graph, q, k), number(graph, 2));
  scores = mask(graph, scores);
  const ValueId y = matmul(graph, softmax(graph, scores, 3), v);
  graph.outputs = {reshape(graph, transpose(graph, y, {0, 2, 1, 3}), {2, 6, 12})};
  return graph;
}

/// All that is left: three layers, attention, whatever joins the masks.
void expect_attention(Graph& graph, std::size_t others = 0) {
  optimise(graph, 2e-5);
  EXPECT_EQ(count(graph, OpKind::attention), 1u);
  EXPECT_EQ(count(graph, OpKind::softmax), 0u);
  EXPECT_EQ(count(graph, OpKind::transpose), 0u);
  EXPECT_EQ(graph.order().size() - count(graph, OpKind::reshape),
            1 + count(graph, OpKind::matmul) + others);
}

TEST(FuseAttention, Encoder) {
  Graph graph = encoder([](Graph&, ValueId scores) { return scores; });
  expect_attention(graph);
}

TEST(FuseAttention, MaskThatIsAdded) {
  Graph graph = encoder([](Graph& g, ValueId scores) {
    return binary(g, BinaryFunction::add, scores,
                  g.add_input("mask", DType::float32, {2, 1, 1, 6}));
  });
  expect_attention(graph);
  Graph both = encoder([](Graph& g, ValueId scores) {
    scores =
        binary(g, BinaryFunction::add, scores, g.add_input("mask", DType::float32, {2, 1, 1, 6}));
    return binary(g, BinaryFunction::add, random_constant(g, {6, 6}), scores);
  });
  expect_attention(both, 1);
}

TEST(FuseAttention, MaskThatHides) {
  for (bool inverted : {false, true}) {
    Graph graph = encoder([&](Graph& g, ValueId scores) {
      const ValueId place = random_constant(g, {6, 6});
      // The diagonal is seen, whatever the other places are.
      std::vector<float> level(36, 0);
      for (std::size_t i = 0; i < 36; i += 7) level[i] = inverted ? 2 : -2;
      const ValueId kept = binary(g, BinaryFunction::greater, place, constant(g, {6, 6}, level));
      const ValueId nothing = number(g, -INFINITY);
      return inverted ? g.add(OpKind::where, {}, {kept, nothing, scores}, "where")
                      : g.add(OpKind::where, {}, {kept, scores, nothing}, "where");
    });
    expect_attention(graph);
  }
}

TEST(FuseAttention, ThreeAxes) {
  Graph graph;
  const ValueId q = graph.add_input("q", DType::float32, {6, 5, 4});
  const ValueId k = graph.add_input("k", DType::float32, {6, 7, 4});
  const ValueId v = graph.add_input("v", DType::float32, {6, 7, 3});
  graph.outputs = {matmul(graph, softmax(graph, matmul(graph, q, k, true, 0.5f), 2), v)};
  optimise(graph, 2e-5);
  EXPECT_EQ(count(graph, OpKind::attention), 1u);
  EXPECT_EQ(count(graph, OpKind::matmul), 0u);
}

TEST(FuseAttention, NotWhatOnlyLooksLikeIt) {
  const auto expect_none = [](Graph graph) {
    optimise(graph, 2e-5);
    EXPECT_EQ(count(graph, OpKind::attention), 0u);
  };
  // The scores are wanted too.
  Graph shown;
  ValueId x = shown.add_input("x", DType::float32, {2, 3, 5, 4});
  const ValueId shares = softmax(shown, matmul(shown, x, x, true), 3);
  shown.outputs = {matmul(shown, shares, x), shares};
  expect_none(std::move(shown));
  // Over the queries.
  Graph across;
  x = across.add_input("x", DType::float32, {2, 3, 5, 4});
  across.outputs = {matmul(across, softmax(across, matmul(across, x, x, true), 2), x)};
  expect_none(std::move(across));
  // A number that is only large and negative shows when it stands everywhere.
  Graph finite = encoder([](Graph& g, ValueId scores) {
    const ValueId kept =
        binary(g, BinaryFunction::greater, random_constant(g, {6, 6}), number(g, 0));
    return g.add(OpKind::where, {}, {kept, scores, number(g, -1e4f)}, "where");
  });
  expect_none(std::move(finite));
  // One set of keys for all heads.
  Graph shared;
  x = shared.add_input("x", DType::float32, {2, 3, 5, 4});
  const ValueId k = shared.add_input("k", DType::float32, {5, 4});
  shared.outputs = {matmul(shared, softmax(shared, matmul(shared, x, k, true), 3), k)};
  expect_none(std::move(shared));
}

}  // namespace
}  // namespace skiff::testing
