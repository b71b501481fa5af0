#include <gtest/gtest.h>

#include <random>

#include "tests/support/closeness.h"
#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

TEST(Conv, HalfStoredWeights) {
  ConvNode node = node_of({.cin = 12, .cout = 20, .in = {5, 5}, .kernel = {3, 3}}, 30);
  ConvNode stored = node;
  stored.inputs[1] =
      constant(tensor_of(DType::float16, node.inputs[1].shape, node.inputs[1].numbers()));
  node.inputs[1] =
      constant(tensor_of(DType::float32, node.inputs[1].shape, stored.inputs[1].numbers()));
  for_each_table([&](const cpu::KernelTable& table) {
    EXPECT_EQ(stored.run(table).bytes, node.run(table).bytes);
  });
}

/// The same node with its operands stored as another type.
ConvNode stored_as(ConvNode node, DType dtype) {
  for (TensorData& input : node.inputs) {
    if (input.dtype == DType::none) continue;
    const bool is_constant = input.constant;
    input = tensor_of(dtype, input.shape, input.numbers());
    input.constant = is_constant;
  }
  return node;
}

TEST(Conv, OtherTypes) {
  const ConvCase c{.cin = 6,
                   .cout = 4,
                   .groups = 2,
                   .in = {5, 6},
                   .kernel = {3, 3},
                   .pads = {1, 0, 1, 0},
                   .activation = fb::UnaryFunction::relu};
  const ConvNode node = node_of(c, 31);
  const ReferenceResult expected = expected_of(c, node, node.output());
  for (const DType dtype : {DType::float64, DType::float16, DType::bfloat16}) {
    const ConvNode other = stored_as(node, dtype);
    for_each_table([&](const cpu::KernelTable& table) {
      // Operands and results are rounded; sums of 27 products of numbers below 1.
      expect_near(other.run(table), expected.value, rounding(dtype), rounding(dtype, 16));
    });
  }
}

// Products in tiles of 64 pixels, 64 filters and 32 taps and channels: shapes at their edges.
TEST(Conv, NarrowTypesAtTheEdgesOfTiles) {
  std::mt19937 random(11);
  const auto pick = [&](std::initializer_list<std::int64_t> numbers) {
    return numbers.begin()[random() % numbers.size()];
  };
  for (std::uint32_t i = 0; i < 40; ++i) {
    const ConvCase c{
        .batch = pick({1, 2}),
        .cin = pick({1, 3, 8, 16, 20, 24, 32, 40}),
        .cout = pick({1, 5, 8, 63, 64, 65, 72}),
        .in = {pick({7, 8, 9}), pick({5, 8, 9})},
        .kernel = {pick({1, 2, 3}), pick({1, 3})},
        .stride = {pick({1, 2}), pick({1, 3})},
        .dilation = {pick({1, 2}), 1},
        .pads = {pick({0, 1}), pick({0, 2}), pick({0, 1}), pick({0, 1})},
        .bias = pick({0, 1}) == 1,
        .residual = pick({0, 1}) == 1,
        .constant = pick({0, 1}) == 1,
        .activation = pick({0, 1}) == 1 ? fb::UnaryFunction::relu : fb::UnaryFunction::hard_swish};
    const DType dtype = i % 2 == 0 ? DType::float16 : DType::bfloat16;
    SCOPED_TRACE(testing::Message() << i << ", " << c.cin << " to " << c.cout << " channels");
    const ConvNode node = stored_as(node_of(c, 300 + i), dtype);
    const ConvNode exact = stored_as(node, DType::float32);
    const ReferenceResult expected = expected_of(c, exact, exact.output());
    // The result is rounded, by some kernels before the activation too.
    expect_near(node.run(*cpu::available_tables().front()), expected.value, rounding(dtype, 2),
                rounding(dtype, 8));
  }
}

}  // namespace
}  // namespace skiff::test
