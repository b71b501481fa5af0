#include <cstdlib>

#include "converters/dynamic/dynamic.h"
#include "converters/precision/precision.h"
#include "gpu.h"
#include "tests/support/squeeze_graphs.h"

// On a GPU the nodes that weigh an image's channels run as one step; what it computes is near what
// they compute one by one.
namespace skiff::test {
namespace {

constexpr SessionOptions kJoined{.device = DeviceKind::cuda, .strict_gpu = true};
constexpr SessionOptions kOneByOne{
    .device = DeviceKind::cuda, .strict_gpu = true, .fuse = Fuse::off};

void expect_near(const std::vector<float>& found, const std::vector<float>& expected, float bound) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], bound * (1 + std::abs(expected[i]))) << i;
}

/// `layers`: of each step that is several nodes.
void expect_joined(const Graph& graph, const std::vector<int>& layers, float bound = 1e-5f) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session slow(model, kOneByOne), fast(model, kJoined);
  EXPECT_EQ(chains(slow), std::vector<int>());
  EXPECT_EQ(chains(fast), layers);
  EXPECT_EQ(Session::predict(model, kJoined).total, fast.memory().total);
  const std::vector<float> expected = outputs_of(slow), first = outputs_of(fast);
  ASSERT_NO_FATAL_FAILURE(expect_near(first, expected, bound));
  for (const char* order : {"1", "2", "0"}) {  // of a block's threads
    setenv("SKIFF_THREAD_ORDER", order, 1);
    ASSERT_NO_FATAL_FAILURE(
        expect_equal_bits(outputs_of(fast), first, std::string("order ") + order));
  }
}

void expect_left_alone(Graph& graph, std::initializer_list<ValueId> outputs) {
  graph.outputs.assign(outputs);
  expect_joined(graph, {});
}

ValueId image(Graph& g) { return g.add_input("x", DType::float32, {2, 9, 7, 20}); }

TEST(SqueezeExcite, IsOneStep) {
  Graph g;
  const ValueId x = image(g);
  g.outputs = {weighted(g, x, 5, 1)};
  expect_joined(g, {4});
}

TEST(SqueezeExcite, OneBehindTheOther) {
  Graph g;
  const ValueId x = weighted(g, image(g), 5, 1);
  const ValueId y = binary(g, Binary::mul, gates(g, x, 30, 11), x);
  g.outputs = {pixel_conv(g, y, 3, Unary::none, 21)};
  expect_joined(g, {4, 4});
}

TEST(SqueezeExcite, TakesInASum) {
  for (int which = 0; which < 3; ++which) {
    SCOPED_TRACE(which);
    Graph g;
    const ValueId x = image(g), other = g.add_input("other", DType::float32, {2, 9, 7, 20});
    const ValueId y = weighted(g, x, 5, 1);
    g.outputs = {which == 0   ? binary(g, Binary::add, y, other, Unary::relu)
                 : which == 1 ? binary(g, Binary::add, other, y)
                              : binary(g, Binary::add, x, y, Unary::hard_swish)};
    expect_joined(g, {5});
  }
}

/// One of two products takes in their sum.
TEST(SqueezeExcite, SumOfTwo) {
  Graph g;
  const ValueId x = image(g), z = g.add_input("z", DType::float32, {2, 9, 7, 20});
  g.outputs = {binary(g, Binary::add, weighted(g, x, 5, 1), weighted(g, z, 6, 11))};
  expect_joined(g, {4, 5});
}

/// The sum of a row of numbers is a broadcasting one, and what bends the product comes before it.
TEST(SqueezeExcite, OtherSumsStay) {
  Graph g;
  const ValueId x = image(g), row = g.add_input("row", DType::float32, {20});
  g.outputs = {
      binary(g, Binary::add, weighted(g, x, 5, 1), row),
      binary(g, Binary::add, binary(g, Binary::mul, x, gates(g, x, 4, 11), Unary::tanh), x)};
  expect_joined(g, {4, 4});
}

/// The rest of a chain is one still.
TEST(SqueezeExcite, ChainsGoOnBehindIt) {
  Graph g;
  const ValueId x = image(g);
  const ValueId y = unary(g, Unary::exp, weighted(g, x, 5, 1));
  g.outputs = {binary(g, Binary::add, y, x)};
  expect_joined(g, {4, 2});
}

TEST(SqueezeExcite, InPlace) {
  Graph g;
  const ValueId x = pixel_conv(g, image(g), 24, Unary::relu, 1);
  g.outputs = {pixel_conv(g, weighted(g, x, 6, 11), 3, Unary::none, 21)};
  expect_joined(g, {4});
}

/// Everything that another node or the caller reads must exist.
TEST(SqueezeExcite, NotWhereOthersReadIt) {
  Graph g, h, i, j;
  ValueId x = image(g), gate = gates(g, x, 5, 1);
  expect_left_alone(g, {binary(g, Binary::mul, x, gate), gate});
  x = image(h), gate = gates(h, x, 5, 1);
  expect_left_alone(h, {binary(h, Binary::mul, x, gate), unary(h, Unary::exp, gate)});
  x = image(i);
  const ValueId mean = mean_of(i, x);
  gate = pixel_conv(i, pixel_conv(i, mean, 5, Unary::relu, 1), 20, Unary::sigmoid, 3);
  expect_left_alone(i, {binary(i, Binary::mul, x, gate), mean});
  x = image(j);
  const ValueId hidden = pixel_conv(j, mean_of(j, x), 5, Unary::relu, 1);
  gate = pixel_conv(j, hidden, 20, Unary::sigmoid, 3);
  expect_left_alone(j, {binary(j, Binary::mul, x, gate), unary(j, Unary::tanh, hidden)});
}

/// Of another tensor, of some axes, a sum, of windows, of groups, with a residual, too wide, added.
TEST(SqueezeExcite, NotWhatComputesOtherwise) {
  const auto graph_of = [](auto&& gate, Binary function = Binary::mul) {
    Graph g;
    const ValueId x = image(g), z = g.add_input("z", DType::float32, {2, 9, 7, 20});
    expect_left_alone(g, {binary(g, function, x, gate(g, x, z))});
  };
  const auto from = [](Graph& g, ValueId mean) {
    return pixel_conv(g, pixel_conv(g, mean, 5, Unary::relu, 1), 20, Unary::sigmoid, 3);
  };
  graph_of([&](Graph& g, ValueId, ValueId z) { return from(g, mean_of(g, z)); });
  graph_of([&](Graph& g, ValueId x, ValueId) { return from(g, mean_of(g, x)); }, Binary::sub);
  graph_of([&](Graph& g, ValueId x, ValueId) { return from(g, mean_of(g, x, {1})); });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    return from(g, mean_of(g, x, {1, 2}, fb::ReduceFunction::sum));
  });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    return pixel_conv(g, pixel_conv(g, mean_of(g, x), 1025, Unary::relu, 1), 20, Unary::sigmoid, 3);
  });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    fb::ConvAttrsT around;
    around.pads = {1, 1, 1, 1};
    return pixel_conv(g, pixel_conv(g, mean_of(g, x), 5, Unary::relu, 1), 20, Unary::sigmoid, 3,
                      around);
  });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    fb::ConvAttrsT grouped;
    grouped.groups = 4;
    const ValueId hidden = pixel_conv(g, mean_of(g, x), 8, Unary::relu, 1);
    return g.add(Op::conv, grouped, {hidden, constant(g, {20, 1, 1, 2}, 3)}, "grouped");
  });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    const ValueId before = g.add_input("before", DType::float32, {2, 1, 1, 20});
    const ValueId hidden = pixel_conv(g, mean_of(g, x), 8, Unary::relu, 1);
    return g.add(Op::conv, fb::ConvAttrsT(),
                 {hidden, constant(g, {20, 1, 1, 8}, 3), constant(g, {20}, 4), before}, "onto");
  });
  graph_of([&](Graph& g, ValueId x, ValueId) {
    const ValueId weights = g.add_input("weights", DType::float32, {8, 1, 1, 20});
    const ValueId hidden = g.add(Op::conv, fb::ConvAttrsT(), {mean_of(g, x), weights}, "given");
    return pixel_conv(g, hidden, 20, Unary::sigmoid, 3);
  });
}

Graph open_sizes(std::int64_t batch, std::int64_t height, std::int64_t width) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {batch, height, width, 20});
  const ValueId y = pixel_conv(g, x, 33, Unary::relu, 1);
  g.outputs = {binary(g, Binary::add, weighted(g, y, 4, 11), y)};
  return g;
}

/// One by one, what lies between the parts is rounded too.
TEST(SqueezeExcite, OtherTypes) {
  for (DType dtype : {DType::float16, DType::bfloat16}) {
    SCOPED_TRACE(static_cast<int>(dtype));
    Graph g = open_sizes(2, 9, 7);
    ASSERT_EQ(precision::store_as(g, dtype, {}).kept.size(), 0u);
    expect_joined(g, {5}, dtype == DType::float16 ? 5e-3f : 4e-2f);
  }
}

/// Prepared sizes need no more scratch than the largest, whatever lies between.
TEST(SqueezeExcite, OpenSizes) {
  const WithGpu gpu;
  const Graph graph = dynamic::generalise(
      {{"x", {{-1, "n"}, {-1, "h"}, {-1, "w"}, {20, {}}}}}, {},
      {{"n", 1, 1, 3, 1}, {"h", 1, 8, 40, 1}, {"w", 1, 8, 40, 1}},
      [](const dynamic::Sizes& sizes) {
        const Shape& x = sizes.shapes.at("x");
        return open_sizes(x[0], x[1], x[2]);
      },
      [](const Graph&) {});
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session cpu(model, {.device = DeviceKind::cpu}), session(model, kJoined);
  EXPECT_EQ(chains(session), std::vector{5});
  for (std::int64_t n : {1, 3})
    for (std::int64_t h : {1, 7, 40})
      for (std::int64_t w : {1, 9, 32, 33, 40}) {
        SCOPED_TRACE(n * 10000 + h * 100 + w);
        const InputShape shapes[] = {{"x", {n, h, w, 20}}};
        session.prepare(shapes);
        ASSERT_TRUE(session.resize(shapes).ok());
        ASSERT_TRUE(cpu.resize(shapes).ok());
        ASSERT_NO_FATAL_FAILURE(expect_near(outputs_of(session), outputs_of(cpu), 1e-5f));
      }
}

}  // namespace
}  // namespace skiff::test
