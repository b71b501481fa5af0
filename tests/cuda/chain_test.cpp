#include <cstdlib>

#include "gpu.h"
#include "tests/support/integer_graphs.h"

// Elementwise nodes that follow each other run as one launch on a GPU; what they compute is what
// they compute one by one.
namespace skiff::test {
namespace {

void expect_same_bits(const Graph& graph, const std::vector<int>& layers) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  const SessionOptions one_by_one{
      .device = DeviceKind::cuda, .strict_gpu = true, .fuse = Fuse::off};
  const SessionOptions joined{.device = DeviceKind::cuda, .strict_gpu = true};
  Session slow(model, one_by_one), fast(model, joined);
  EXPECT_EQ(chains(slow), std::vector<int>());
  EXPECT_EQ(chains(fast), layers);
  EXPECT_EQ(Session::predict(model, joined).total, fast.memory().total);
  EXPECT_LE(fast.memory().arena, slow.memory().arena);
  const std::vector<float> expected = outputs_of(slow);
  for (const char* order : {"1", "2", "0"}) {  // of a block's threads
    setenv("SKIFF_THREAD_ORDER", order, 1);
    ASSERT_NO_FATAL_FAILURE(
        expect_equal_bits(outputs_of(fast), expected, std::string("order ") + order));
  }
}

/// Each function behind another one, as the first and as the last.
TEST(Chains, EveryFunction) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {3, 5}), y = constant(g, {5}, 1);
  std::vector<int> layers;
  for (int f = 1; f <= static_cast<int>(Unary::cos); ++f, layers.push_back(3))
    g.outputs.push_back(
        unary(g, static_cast<Unary>(f),
              unary(g, Unary::abs, unary(g, static_cast<Unary>(f), binary(g, Binary::add, x, y)))));
  layers.assign(layers.size(), 4);
  for (int f = 0; f < static_cast<int>(Binary::equal); ++f, layers.push_back(2))
    g.outputs.push_back(binary(g, static_cast<Binary>(f), binary(g, static_cast<Binary>(f), x, y),
                               constant(g, {3, 1}, static_cast<unsigned>(f) + 2), Unary::sigmoid));
  expect_same_bits(g, layers);
}

TEST(Chains, OperandsBroadcast) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2, 3, 4, 5});
  ValueId y = binary(g, Binary::mul, constant(g, {5}, 1), x);
  y = binary(g, Binary::sub, constant(g, {3, 1, 1}, 2), y, Unary::hard_swish);
  y = binary(g, Binary::add, y, constant(g, {}, 3));
  y = binary(g, Binary::squared_difference, y, constant(g, {2, 1, 4, 1}, 4));
  g.outputs = {y};
  expect_same_bits(g, {4});
}

/// Results of 16 bits are rounded at every step, as they are one by one.
TEST(Chains, OtherTypes) {
  for (DType dtype : {DType::float16, DType::bfloat16}) {
    SCOPED_TRACE(static_cast<int>(dtype));
    Graph g;
    fb::CastAttrsT narrow, wide;
    narrow.to = static_cast<fb::DType>(dtype);
    wide.to = fb::DType::float32;
    const ValueId x = g.add(Op::cast, narrow, {g.add_input("x", DType::float32, {9, 7})}, "narrow");
    const ValueId z = g.add(Op::cast, narrow, {g.add_input("z", DType::float32, {7})}, "narrow");
    ValueId y = binary(g, Binary::mul, unary(g, Unary::exp, x), z, Unary::tanh);
    y = binary(g, Binary::div, y, unary(g, Unary::cos, x));
    g.outputs = {g.add(Op::cast, wide, {y}, "wide")};
    expect_same_bits(g, {4});
  }
}

/// x sigmoid(x), a tree of two branches, and a result that is read twice.
TEST(Chains, TreesAndOperandsReadTwice) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {4, 6});
  const ValueId z = g.add_input("z", DType::float32, {4, 6});
  const ValueId gated = binary(g, Binary::mul, x, unary(g, Unary::sigmoid, x));
  const ValueId other = binary(g, Binary::mul, z, unary(g, Unary::tanh, z));
  const ValueId both = binary(g, Binary::sub, gated, other);
  const ValueId square = binary(g, Binary::mul, both, both);
  g.outputs = {unary(g, Unary::exp, square)};
  expect_same_bits(g, {5, 2});
}

/// Results of whole lines of memory lie side by side, and not in the order they are made in.
TEST(Chains, WriteNothingElse) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {4, 16});
  const auto chain = [&](Unary f) { return unary(g, Unary::exp, unary(g, f, x)); };
  const ValueId first = chain(Unary::neg), second = chain(Unary::abs), third = chain(Unary::sin);
  g.outputs = {third, first, second};
  expect_same_bits(g, {2, 2, 2});
}

/// What somebody else reads must exist; what is of another shape is no part.
TEST(Chains, EndWhereResultsAreNeeded) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {4, 6});
  const ValueId row = g.add_input("row", DType::float32, {6});
  const ValueId first = unary(g, Unary::exp, x);
  const ValueId small = unary(g, Unary::tanh, row);
  g.outputs = {first, binary(g, Binary::add, first, small)};
  expect_same_bits(g, {});
}

TEST(Chains, LongOnesAreDivided) {
  Graph g;
  ValueId x = g.add_input("x", DType::float32, {7});
  for (unsigned i = 0; i < 20; ++i) x = binary(g, Binary::add, x, constant(g, {7}, i), Unary::tanh);
  g.outputs = {x};
  expect_same_bits(g, {5, 5, 5, 5});
}

/// The result may lie on an operand.
TEST(Chains, InPlace) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {64, 64});
  fb::SoftmaxAttrsT rows;
  rows.axis = 1;
  const ValueId soft = g.add(Op::softmax, rows, {x}, "soft");
  const ValueId y = binary(g, Binary::mul, unary(g, Unary::exp, soft), constant(g, {64}, 1));
  g.outputs = {g.add(Op::softmax, rows, {y}, "again")};
  expect_same_bits(g, {2});
}

TEST(Chains, OfIntegers) {
  for (const Shape& shape : {Shape{3, 4, 5}, Shape{2, 300}}) {
    Graph g;
    g.outputs = chains_of_integers(g, g.add_input("x", DType::float32, shape));
    expect_same_bits(g, {2, 5});
  }
}

/// What the CPU has no rows for is joined all the same.
TEST(Chains, OfIntegersAndOperandsThatBroadcast) {
  const Bytes stored{fb::DType::int8, 0.02f, -7};
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2, 3, 4, 5});
  const ValueId y = quantize(g, binary(g, Binary::mul, x, constant(g, {2, 1, 4, 1}, 1)), stored);
  g.outputs = {dequantize(g, y, stored)};
  expect_same_bits(g, {2});
}

/// A whole network of integers with an addition is the CPU's to the bit, and the addition one step.
TEST(Chains, BetweenIntegerConvolutions) {
  const WithGpu gpu;
  for (const fb::DType dtype : {fb::DType::int8, fb::DType::uint8})
    for (const int zero : {0, 5}) {
      const Bytes inner{dtype, 1.0f / 64, zero}, sums{fb::DType::uint8, 1.0f / 32, zero};
      const std::vector<std::byte> bytes = file_of(residual_block(16, inner, sums));
      const Model model = Model::from_bytes(bytes);
      Session host(model, {.device = DeviceKind::cpu});
      Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
      EXPECT_EQ(session.step_count(), 6u);  // to bytes, 2 products, the sum, a product, to floats
      EXPECT_EQ(session.step(3).algorithm, "pointwise chain");
      EXPECT_EQ(session.step(3).layers, 5);
      ASSERT_NO_FATAL_FAILURE(expect_equal_bits(outputs_of(session), outputs_of(host), ""));
    }
}

}  // namespace
}  // namespace skiff::test
