#include "converters/dynamic/dynamic.h"
#include "tests/support/integer_graphs.h"
#include "tests/support/memory_promise.h"

// Elementwise nodes that follow each other run as one step on the CPU; what they compute is what
// they compute one by one, in the memory that was promised.
namespace skiff::test {
namespace {

void expect_same_bits(const Graph& graph, const std::vector<int>& layers) {
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session single(model, {.device = DeviceKind::cpu, .fuse = Fuse::off});
  EXPECT_EQ(chains(single), std::vector<int>());
  const std::vector<float> expected = outputs_of(single);
  for (int threads = 1; threads <= 2; ++threads) {
    Session session(model, {.device = DeviceKind::cpu, .threads = threads});
    EXPECT_EQ(chains(session), layers);
    ASSERT_NO_FATAL_FAILURE(
        expect_equal_bits(outputs_of(session), expected, std::to_string(threads) + " threads"));
  }
}

TEST(ChainsOnCpu, OperandsBroadcast) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2, 3, 40, 300});
  ValueId y = binary(g, Binary::mul, constant(g, {300}, 1), x);
  y = binary(g, Binary::sub, constant(g, {3, 1, 1}, 2), y, Unary::hard_swish);
  y = binary(g, Binary::add, y, constant(g, {}, 3));
  y = binary(g, Binary::squared_difference, y, constant(g, {2, 1, 40, 1}, 4));
  g.outputs = {y};
  expect_same_bits(g, {4});
}

/// The calls for short rows of which each has its own factor cost more than memory does.
TEST(ChainsOnCpu, NotOfShortRows) {
  for (std::int64_t channels : {255, 256}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {50, channels});
    const ValueId y = binary(g, Binary::mul, unary(g, Unary::exp, x), constant(g, {50, 1}, 1));
    g.outputs = {unary(g, Unary::sqrt, unary(g, Unary::abs, y))};
    expect_same_bits(g, {channels < 256 ? 2 : 4});
  }
}

/// A bias of few channels is repeated instead.
TEST(ChainsOnCpu, OfShortRowsThatRepeat) {
  for (std::int64_t channels : {2, 3, 64, 100}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {500, channels});
    const ValueId y = binary(g, Binary::mul, x, constant(g, {channels}, 1));
    g.outputs = {binary(g, Binary::sub, constant(g, {1, channels}, 2), y, Unary::tanh)};
    expect_same_bits(g, {2});
  }
}

TEST(ChainsOnCpu, TreesAndOperandsReadTwice) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {40, 60, 5});
  const ValueId z = g.add_input("z", DType::float32, {40, 60, 5});
  const ValueId gated = binary(g, Binary::mul, x, unary(g, Unary::sin, x));
  const ValueId other = binary(g, Binary::mul, z, unary(g, Unary::tanh, z));
  const ValueId both = binary(g, Binary::sub, gated, other);
  const ValueId square = binary(g, Binary::mul, both, both);
  g.outputs = {unary(g, Unary::exp, square)};
  expect_same_bits(g, {5, 2});
}

/// What somebody else reads must exist.
TEST(ChainsOnCpu, EndWhereResultsAreNeeded) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {4, 6});
  const ValueId first = unary(g, Unary::exp, x);
  g.outputs = {first, binary(g, Binary::add, first, x)};
  expect_same_bits(g, {});
}

/// Factors for each row and for each column of open sizes.
Graph open_sizes(std::int64_t rows, std::int64_t columns) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {rows, columns});
  const ValueId row = g.add_input("row", DType::float32, {columns});
  const ValueId column = g.add_input("column", DType::float32, {rows, 1});
  const ValueId y = binary(g, Binary::mul, x, row, Unary::tanh);
  g.outputs = {unary(g, Unary::exp, binary(g, Binary::sub, column, y))};
  return g;
}

/// Short rows are repeated where long ones are not: no size may need more than the plan has.
TEST(ChainsOnCpu, OpenSizes) {
  const Graph graph = dynamic::generalise(
      {{"x", {{-1, "n"}, {-1, "c"}}}, {"row", {{-1, "c"}}}, {"column", {{-1, "n"}, {1, {}}}}}, {},
      {{"n", 1, 2, 40, 1}, {"c", 2, 500, 3000, 1}},
      [](const dynamic::Sizes& sizes) {
        const Shape& x = sizes.shapes.at("x");
        return open_sizes(x[0], x[1]);
      },
      [](const Graph&) {});
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session single(model, {.device = DeviceKind::cpu, .fuse = Fuse::off});
  Session session(model, {.device = DeviceKind::cpu, .threads = 2});
  EXPECT_EQ(chains(session), std::vector{3});
  for (std::int64_t n : {1, 3, 40})
    for (std::int64_t c : {2, 64, 700, 1024, 1500, 3000}) {
      SCOPED_TRACE(n * 10000 + c);
      const InputShape shapes[] = {{"x", {n, c}}, {"row", {c}}, {"column", {n, 1}}};
      ASSERT_TRUE(single.resize(shapes).ok());
      const Status resized = session.resize(shapes);
      ASSERT_TRUE(resized.ok()) << resized.message();
      EXPECT_EQ(outputs_of(session), outputs_of(single));
    }
}

/// What converts for a chain alone is part of it, around single operators too; what somebody else
/// reads is made for them.
TEST(ChainsOnCpu, OfIntegers) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {3, 40, 300});
  g.outputs = chains_of_integers(g, x);
  expect_same_bits(g, {2, 5});
}

/// A scale that is computed is none of the operands.
TEST(ChainsOnCpu, ComputedScales) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {700});
  const ValueId one = g.add_input("one", DType::float32, {1});
  const ValueId step = unary(g, Unary::exp, one);
  fb::QuantizeAttrsT attrs;
  attrs.to = fb::DType::int8;
  const ValueId q = g.add(Op::quantize, attrs, {x, step}, "quantize");
  const ValueId other = unary(g, Unary::exp, unary(g, Unary::neg, one));
  g.outputs = {
      unary(g, Unary::tanh, g.add(Op::dequantize, fb::QuantizeAttrsT(), {q, other}, "dequantize"))};
  expect_same_bits(g, {2, 2});
}

/// The scratch of every thread is in the plan, and a run allocates nothing.
TEST(ChainsOnCpu, PredictedIsUsed) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {100, 100});
  const ValueId y = binary(g, Binary::add, unary(g, Unary::exp, x), unary(g, Unary::cos, x));
  g.outputs = {unary(g, Unary::neg, y)};
  const std::vector<std::byte> bytes = file_of(g);
  for (int threads = 1; threads <= 2; ++threads) {
    const SessionOptions options{.device = DeviceKind::cpu, .threads = threads};
    Session session = session_as_predicted(bytes, options);
    EXPECT_EQ(chains(session), std::vector{4});
    EXPECT_EQ(session.step(0).workspace, 2 * 8192 * threads);
    expect_run_allocates_nothing(session);
  }
}

}  // namespace
}  // namespace skiff::test
