#include <gtest/gtest.h>

#include <random>

#include "tests/support/closeness.h"
#include "tests/support/conv_cases.h"
#include "tests/support/half_sums.h"

// Convolutions that may be summed in float16: with kernels for that within what such
// sums may be wrong by, elsewhere to the bits of those that may not.
namespace skiff::test {
namespace {

bool is_half(const OpResult& result) { return result.algorithm.starts_with("half "); }

/// A convolution whose weights are stored as float16.
ConvNode half_node(const ConvCase& c, unsigned seed) {
  ConvNode node = node_of(c, seed);
  node.inputs[1] = stored_as_half(node.inputs[1]);
  return node;
}

/// What its sums in float16 stand for: operands as float16 numbers.
ReferenceResult expected_in_halves(const ConvCase& c, ConvNode node) {
  node.inputs[0] = rounded_to_half(node.inputs[0]);
  node.inputs[1] = tensor_of(DType::float32, node.inputs[1].shape, node.inputs[1].numbers());
  return expected_of(c, node, node.output());
}

OpResult run(const ConvNode& node, const cpu::KernelTable& table, int threads = 3) {
  OpResult result =
      run_op(node.op, node.attributes, node.operands(), {.table = &table, .threads = threads});
  EXPECT_TRUE(result.status.ok()) << result.status.message();
  return result;
}

/// Returns whether sums were float16.
bool check_half_conv(ConvCase c, unsigned seed) {
  ConvCase full = c;
  c.sums = fb::DType::float16;
  const ConvNode node = half_node(c, seed), float_node = half_node(full, seed);
  const double terms = static_cast<double>(node.inputs[1].elements()) / static_cast<double>(c.cout);
  bool half = false;
  for_each_table([&](const cpu::KernelTable& table) {
    const OpResult y = run(node, table);
    if (!is_half(y)) {
      EXPECT_EQ(y[0].bytes, run(float_node, table)[0].bytes);
      return;
    }
    EXPECT_TRUE(adds_in_halves(table));
    half = true;
    const ReferenceResult expected = expected_in_halves(c, node);
    const auto values = y[0].values<float>();
    expect_close(values, expected.value,
                 [&](std::size_t i) { return 1.2 * half_sum_bound(terms, expected.magnitude[i]); });
    if (values.size() > 200 && c.activation == fb::UnaryFunction::none) {
      EXPECT_LT(relative_l2(values, expected.value), 1.2 * kHalfSumsL2);
    }
  });
  return half;
}

TEST(HalfProduct, Pointwise) {
  unsigned seed = 1;
  const bool adds = adds_in_halves(*cpu::available_tables().front());
  for (const std::int64_t cin : {1, 3, 15, 16, 17, 32, 33, 255})
    for (const std::int64_t cout : {3, 8, 15, 16, 17, 31, 33, 255}) {
      const ConvCase c{.batch = cin == 16 ? 2 : 1,
                       .cin = cin,
                       .cout = cout,
                       .in = {cout % 3 + 1, seed % 2 == 0 ? 7 : 8},
                       .kernel = {1, 1},
                       .bias = cout != 16,
                       .residual = cout % 2 == 1,
                       .activation = cout == 17  ? fb::UnaryFunction::relu
                                     : cout == 3 ? fb::UnaryFunction::swish
                                                 : fb::UnaryFunction::none,
                       .alpha = 1};
      // Few channels are read and written for too few products.
      EXPECT_EQ(check_half_conv(c, seed), adds && std::min(cin, cout) > 4) << cin << " " << cout;
      seed += 4;
    }
}

TEST(HalfProduct, WindowsOfAllForms) {
  std::mt19937 random(3);
  const auto pick = [&](std::initializer_list<std::int64_t> numbers) {
    return numbers.begin()[random() % numbers.size()];
  };
  unsigned half = 0;
  for (unsigned i = 0; i < 120; ++i) {
    const auto axes = static_cast<std::size_t>(pick({1, 2, 2, 3}));
    ConvCase c{
        .batch = pick({1, 1, 2}),
        .cin = pick({1, 3, 5, 8, 15, 16, 17, 40}),
        .cout = pick({1, 3, 7, 8, 9, 16, 17, 33, 70}),
        .in = {},
        .kernel = {},
        .bias = pick({0, 1, 1}) != 0,
        .residual = pick({0, 0, 1}) != 0,
        .activation = pick({0, 1}) != 0 ? fb::UnaryFunction::none : fb::UnaryFunction::hard_swish};
    for (std::size_t a = 0; a < axes; ++a) {
      c.in.push_back(pick({1, 2, 7, 8, 11}));
      c.kernel.push_back(pick({1, 2, 3, 5}));
      c.stride.push_back(pick({1, 1, 2, 3}));
      c.dilation.push_back(pick({1, 1, 2}));
    }
    for (std::size_t a = 0; a < axes; ++a) c.pads.push_back(pick({0, 1, 2}));
    for (std::size_t a = 0; a < axes; ++a)  // the window fits
      c.pads.push_back(std::max<std::int64_t>(
          pick({0, 1, 2}), (c.kernel[a] - 1) * c.dilation[a] + 1 - c.in[a] - c.pads[a]));
    half += check_half_conv(c, 1000 + 4 * i);
  }
  if (adds_in_halves(*cpu::available_tables().front())) {
    EXPECT_GT(half, 60u);
  }
}

/// Blocks of 32 products over windows of more than a chunk of taps.
TEST(HalfProduct, ManyTaps) {
  for (const std::int64_t cin : {8, 11, 20})
    check_half_conv({.cin = cin, .cout = 24, .in = {9, 10}, .kernel = {7, 7}, .pads = {3, 3, 3, 3}},
                    static_cast<unsigned>(cin));
}

/// Fewer products by Winograd's form where it saves more than half of them, and not otherwise.
TEST(HalfProduct, WinogradWhereItSavesMore) {
  const ConvCase many{.cin = 128,
                      .cout = 128,
                      .in = {40, 40},
                      .kernel = {3, 3},
                      .pads = {1, 1, 1, 1},
                      .sums = fb::DType::float16};
  ConvCase few = many;
  few.in = {10, 10};
  for_each_table([&](const cpu::KernelTable& table) {
    if (!adds_in_halves(table)) return;
    EXPECT_EQ(run(half_node(many, 5), table).algorithm, "winograd 4x4");
    EXPECT_EQ(run(half_node(few, 5), table).algorithm, "half indirect");
  });
}

/// Numbers beyond float16 count as its largest one; a NaN stays one.
TEST(HalfProduct, LargeNumbersSaturate) {
  ConvCase c{.cin = 24, .cout = 16, .in = {3, 5}, .kernel = {1, 1}, .sums = fb::DType::float16};
  ConvNode node = half_node(c, 9);
  std::vector<double> x = node.inputs[0].numbers(), w = node.inputs[1].numbers();
  for (double& number : w) number /= 64;  // their products must not leave float16
  x[0] = 7e4, x[30] = -1e9, x[60] = INFINITY, x[100] = 65519, x[101] = -65520;
  node.inputs[0] = tensor_of(DType::float32, node.inputs[0].shape, x);
  node.inputs[1] = constant(tensor_of(DType::float16, node.inputs[1].shape, w));
  const ReferenceResult expected = expected_in_halves(c, node);
  x[200] = NAN;
  node.inputs[0] = tensor_of(DType::float32, node.inputs[0].shape, x);
  for_each_table([&](const cpu::KernelTable& table) {
    if (!adds_in_halves(table)) return;
    const auto values = run(node, table)[0].values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i / 16 == 200 / 24) {
        EXPECT_TRUE(std::isnan(values[i])) << i;
      } else {
        EXPECT_NEAR(values[i], expected.value[i], half_sum_bound(24, expected.magnitude[i])) << i;
      }
    }
  });
}

TEST(HalfProduct, ThreadsDoNotChangeABit) {
  const ConvNode node = half_node({.cin = 37,
                                   .cout = 100,
                                   .in = {15, 14},
                                   .kernel = {3, 3},
                                   .stride = {2, 1},
                                   .pads = {1, 0, 2, 1},
                                   .residual = true,
                                   .sums = fb::DType::float16},
                                  70);
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData two = run(node, table, 2)[0];
    for (const int threads : {3, 5}) EXPECT_EQ(run(node, table, threads)[0].bytes, two.bytes);
  });
}

TEST(HalfProduct, GroupsStayFloat32) {
  const ConvNode grouped = half_node({.cin = 32,
                                      .cout = 32,
                                      .groups = 2,
                                      .in = {4, 4},
                                      .kernel = {1, 1},
                                      .sums = fb::DType::float16},
                                     4);
  EXPECT_FALSE(is_half(run(grouped, *cpu::available_tables().front())));
}

TEST(HalfProduct, SumsInOtherTypesAreRefused) {
  const TensorData x = random_tensor({1, 4, 4, 8}, 1), w = random_tensor({8, 1, 1, 8}, 2);
  for (const fb::DType sums : {fb::DType::float32, fb::DType::bfloat16, fb::DType::int32}) {
    fb::ConvAttrsT window;
    window.sums = sums;
    expect_refused(fb::OpKind::conv, window, {x, constant(w)});
  }
}

}  // namespace
}  // namespace skiff::test
