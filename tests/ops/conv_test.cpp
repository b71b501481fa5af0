#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/closeness.h"
#include "tests/support/op_runner.h"
#include "tests/support/reference_activation.h"
#include "tests/support/reference_conv.h"

namespace skiff::test {
namespace {

using Axis = std::vector<std::int64_t>;

/// A convolution in the terms of the schema; spatial axes as many as `in` has.
struct Case {
  std::int64_t batch = 1, cin = 1, cout = 1, groups = 1;
  Axis in, kernel;
  Axis stride{}, dilation{}, pads{}, output_pads{};  // empty: the default
  bool bias = true, residual = false, constant = true, transposed = false;
  fb::UnaryFunction activation = fb::UnaryFunction::none;
  float alpha = 0, beta = 0;
};

Shape tensor_shape(std::int64_t first, const Axis& spatial, std::int64_t last) {
  Shape shape{first};
  for (std::int64_t extent : spatial) shape.push_back(extent);
  shape.push_back(last);
  return shape;
}

/// A case with its operands; an operand of no dtype is an optional one left out.
struct Node {
  fb::OpKind op;
  Attributes attributes;
  std::vector<TensorData> inputs;

  std::vector<const TensorData*> operands() const {
    std::vector<const TensorData*> pointers;
    for (const TensorData& input : inputs)
      pointers.push_back(input.dtype == DType::none ? nullptr : &input);
    return pointers;
  }
  Shape output() const { return infer_op(op, attributes, operands())[0].shape; }
  TensorData run(const cpu::KernelTable& table) const {
    const OpResult result = run_op(op, attributes, operands(), {.table = &table});
    EXPECT_TRUE(result.status.ok()) << result.status.message();
    return result[0];
  }
};

TensorData random_tensor(const Shape& shape, unsigned seed) {
  return tensor_of(DType::float32, shape, random_numbers(shape.elements(), -1, 1, seed));
}

Node node_of(const Case& c, unsigned seed) {
  fb::ConvAttrsT attrs;
  attrs.strides = c.stride;
  attrs.dilations = c.dilation;
  attrs.pads = c.pads;
  attrs.output_pads = c.output_pads;
  attrs.groups = c.groups;
  attrs.activation = c.activation;
  attrs.alpha = c.alpha;
  attrs.beta = c.beta;
  Node node{c.transposed ? fb::OpKind::conv_transpose : fb::OpKind::conv,
            attrs,
            {random_tensor(tensor_shape(c.batch, c.in, c.cin), seed),
             random_tensor(tensor_shape(c.cout, c.kernel, c.cin / c.groups), seed + 1),
             c.bias ? random_tensor(Shape{c.cout}, seed + 2) : TensorData()}};
  node.inputs[1].constant = c.constant;
  if (c.residual) node.inputs.push_back(random_tensor(node.output(), seed + 3));
  return node;
}

/// Right-aligned in three axes; what is missing takes `fill`.
Axis three(const Axis& values, std::int64_t fill) {
  Axis result(3 - values.size(), fill);
  result.insert(result.end(), values.begin(), values.end());
  return result;
}

ReferenceResult expected_of(const Case& c, const Node& node, const Shape& out) {
  const std::size_t n = c.in.size();
  ReferenceConv r{c.batch, c.cin, c.cout, c.groups, three(c.in, 1), three(c.kernel, 1)};
  r.stride = three(c.stride.empty() ? Axis(n, 1) : c.stride, 1);
  r.dilation = three(c.dilation.empty() ? Axis(n, 1) : c.dilation, 1);
  const Axis begins =
      c.pads.empty() ? Axis(n, 0) : Axis(c.pads.begin(), c.pads.begin() + static_cast<long>(n));
  r.pad_begin = three(begins, 0);
  Axis extents;
  for (int i = 1; i + 1 < out.rank(); ++i) extents.push_back(out[i]);
  r.out = three(extents, 1);
  const auto x = node.inputs[0].values<float>(), w = node.inputs[1].values<float>();
  ReferenceResult result = c.transposed ? reference_conv_transpose(r, x.data(), w.data())
                                        : reference_conv(r, x.data(), w.data());
  const auto bias = c.bias ? node.inputs[2].numbers() : std::vector<double>();
  const auto residual = c.residual ? node.inputs[3].numbers() : std::vector<double>();
  for (std::size_t i = 0; i < result.value.size(); ++i) {
    double& value = result.value[i];
    if (c.bias) value += bias[i % bias.size()];
    if (c.residual) value += residual[i];
    value = reference_activation(c.activation, value, c.alpha, c.beta);
  }
  return result;
}

/// Against the reference, on every instruction set (run_op compares threads and in-place runs).
void check_case(const Case& c, unsigned seed) {
  const Node node = node_of(c, seed);
  const Shape out = node.output();
  const ReferenceResult expected = expected_of(c, node, out);
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData y = node.run(table);
    ASSERT_EQ(y.shape, out);
    // Rounding grows with the square root of the terms; slopes of activations are at most 1.2.
    const double terms =
        static_cast<double>(node.inputs[1].elements()) / static_cast<double>(c.cout);
    expect_close(y.values<float>(), expected.value, [&](std::size_t i) {
      return 1.2 * (6 + std::sqrt(terms)) * 0x1p-24 * (expected.magnitude[i] + 4);
    });
  });
}

TEST(Conv, Pointwise) {
  for (std::int64_t cin : {1, 3, 15, 16, 17, 64})
    for (std::int64_t cout : {1, 3, 15, 16, 17, 33, 48, 65, 255})
      check_case({.cin = cin, .cout = cout, .in = {5, 7}, .kernel = {1, 1}}, 1);
}

TEST(Conv, Windows) {
  for (std::int64_t width : {1, 2, 7, 8, 19})
    for (std::int64_t kernel : {1, 3, 5})
      for (std::int64_t stride : {1, 2, 3})
        check_case({.batch = 2,
                    .cin = 6,
                    .cout = 20,
                    .in = {4, width},
                    .kernel = {kernel, kernel},
                    .stride = {stride, stride},
                    .pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2}},
                   2);
}

TEST(Conv, AsymmetricPadsAndDilations) {
  check_case({.cin = 9,
              .cout = 17,
              .in = {11, 13},
              .kernel = {3, 2},
              .stride = {2, 1},
              .dilation = {2, 3},
              .pads = {0, 1, 3, 2}},
             3);
  check_case({.cin = 5,
              .cout = 7,
              .in = {3, 3},
              .kernel = {5, 5},
              .dilation = {2, 2},
              .pads = {4, 5, 6, 3}},
             4);
  check_case({.cin = 8, .cout = 8, .in = {2, 2}, .kernel = {1, 1}, .pads = {3, 3, 3, 3}}, 5);
}

TEST(Conv, FewInputChannels) {
  for (std::int64_t cin : {1, 2, 3, 4})
    for (std::int64_t stride : {1, 2})
      for (std::int64_t cout : {1, 16, 24, 32, 64})
        check_case({.batch = 2,
                    .cin = cin,
                    .cout = cout,
                    .in = {13, 17},
                    .kernel = {3, 3},
                    .stride = {stride, stride},
                    .pads = {0, 0, 1, 1},
                    .activation = fb::UnaryFunction::relu},
                   6);
  check_case({.cin = 3,
              .cout = 64,
              .in = {30, 31},
              .kernel = {7, 7},
              .stride = {2, 2},
              .pads = {3, 3, 3, 3}},
             7);
  check_case({.cin = 3,
              .cout = 5,
              .in = {9, 4},
              .kernel = {3, 6},
              .stride = {1, 4},
              .dilation = {2, 1},
              .pads = {1, 9, 0, 5}},
             8);
}

TEST(Conv, FewOutputChannels) {
  unsigned seed = 40;
  for (std::int64_t cout : {1, 2, 3, 4})
    for (std::int64_t cin : {5, 8, 15, 16, 17, 40})
      for (std::int64_t kernel : {1, 3})
        check_case({.batch = 2,
                    .cin = cin,
                    .cout = cout,
                    .in = {7, 11},
                    .kernel = {kernel, kernel},
                    .stride = {cin == 15 ? 2 : 1, 1},
                    .pads = {kernel / 2, kernel / 2, 0, kernel / 2},
                    .residual = cin % 2 == 0,
                    .activation = cin > 16 ? fb::UnaryFunction::sigmoid : fb::UnaryFunction::relu},
                   seed++);
}

/// Winograd's form where it is chosen: its rounding follows the largest numbers of a whole tile.
TEST(Conv, Windows3x3OverManyPixels) {
  unsigned seed = 60;
  for (std::int64_t cin : {8, 16, 17, 40})
    for (std::int64_t cout : {8, 15, 16, 33, 80})
      for (const Axis& in : {Axis{40, 40}, Axis{33, 50}, Axis{62, 17}}) {
        const Case c{.batch = cin == 8 ? 2 : 1,
                     .cin = cin,
                     .cout = cout,
                     .in = in,
                     .kernel = {3, 3},
                     .pads = cin == 17 ? Axis{0, 1, 2, 0} : Axis{1, 1, 1, 1},
                     .bias = cout != 15,
                     .residual = cout == 33,
                     .activation = cin == 40 ? fb::UnaryFunction::swish : fb::UnaryFunction::relu,
                     .alpha = 1};
        const Node node = node_of(c, seed++);
        const ReferenceResult expected = expected_of(c, node, node.output());
        const double largest =
            *std::max_element(expected.magnitude.begin(), expected.magnitude.end());
        for_each_table([&](const cpu::KernelTable& table) {
          expect_close(node.run(table).values<float>(), expected.value,
                       [&](std::size_t) { return 40 * 0x1p-24 * (largest + 1); });
        });
      }
}

TEST(Conv, Depthwise) {
  for (std::int64_t channels : {2, 3, 15, 16, 17, 32, 70})
    for (std::int64_t kernel : {3, 5})
      for (std::int64_t stride : {1, 2})
        for (std::int64_t width : {1, 2, 3, 7, 8, 13})
          check_case({.batch = 2,
                      .cin = channels,
                      .cout = channels,
                      .groups = channels,
                      .in = {6, width},
                      .kernel = {kernel, kernel},
                      .stride = {stride, stride},
                      .pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2},
                      .activation = fb::UnaryFunction::clip,
                      .alpha = 0,
                      .beta = 6},
                     9);
}

TEST(Conv, DepthwiseOfAnyForm) {
  check_case({.cin = 19,
              .cout = 19,
              .groups = 19,
              .in = {9, 10},
              .kernel = {3, 3},
              .dilation = {2, 2},
              .pads = {2, 2, 2, 2},
              .residual = true},
             10);
  check_case({.cin = 80,
              .cout = 80,
              .groups = 80,
              .in = {9, 10},
              .kernel = {2, 7},
              .stride = {2, 1},
              .pads = {1, 3, 0, 3}},
             11);
  check_case({.cin = 16,
              .cout = 16,
              .groups = 16,
              .in = {31},
              .kernel = {5},
              .stride = {2},
              .pads = {4, 0},
              .bias = false},
             12);
  check_case({.cin = 20,
              .cout = 20,
              .groups = 20,
              .in = {3, 5},
              .kernel = {3, 3},
              .stride = {1, 1},
              .pads = {0, 2, 0, 0},
              .residual = true,
              .activation = fb::UnaryFunction::hard_swish},
             13);
}

TEST(Conv, Groups) {
  check_case(
      {.cin = 12, .cout = 18, .groups = 3, .in = {6, 6}, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
      14);
  check_case({.batch = 2,
              .cin = 64,
              .cout = 64,
              .groups = 4,
              .in = {5, 4},
              .kernel = {3, 3},
              .stride = {2, 2},
              .pads = {1, 1, 1, 1},
              .residual = true},
             15);
  check_case({.cin = 5, .cout = 15, .groups = 5, .in = {6, 6}, .kernel = {3, 3}}, 16);
}

TEST(Conv, OneAndThreeAxes) {
  check_case(
      {.batch = 2, .cin = 9, .cout = 33, .in = {40}, .kernel = {7}, .stride = {3}, .pads = {2, 4}},
      17);
  check_case({.cin = 2, .cout = 12, .in = {40}, .kernel = {3}, .pads = {1, 1}}, 18);
  check_case({.batch = 2,
              .cin = 4,
              .cout = 10,
              .in = {5, 6, 7},
              .kernel = {3, 2, 3},
              .stride = {2, 1, 2},
              .dilation = {1, 2, 1},
              .pads = {1, 0, 1, 1, 1, 0}},
             19);
  check_case({.cin = 6,
              .cout = 6,
              .groups = 6,
              .in = {4, 4, 4},
              .kernel = {3, 3, 3},
              .pads = {1, 1, 1, 1, 1, 1}},
             20);
}

TEST(Conv, ResidualBiasAndActivations) {
  for (int f = 0; f <= static_cast<int>(fb::UnaryFunction::shrink); ++f) {
    const auto function = static_cast<fb::UnaryFunction>(f);
    SCOPED_TRACE(fb::EnumNameUnaryFunction(function));
    Case c{.cin = 7,
           .cout = 37,
           .in = {4, 5},
           .kernel = {1, 1},
           .residual = true,
           .activation = function,
           .alpha = 0.25f,
           .beta = 1.5f};
    if (function == fb::UnaryFunction::thresholded_relu || function == fb::UnaryFunction::shrink)
      continue;  // they jump: see Activations in cpu_test
    check_case(c, 21);
  }
  check_case({.cin = 7,
              .cout = 48,
              .in = {4, 5},
              .kernel = {3, 3},
              .bias = false,
              .residual = true,
              .activation = fb::UnaryFunction::relu},
             22);
}

TEST(Conv, ManyTapsAndLongSums) {
  check_case({.cin = 5, .cout = 18, .in = {12, 12}, .kernel = {9, 9}, .pads = {4, 4, 4, 4}}, 23);
  check_case({.cin = 512, .cout = 40, .in = {7, 7}, .kernel = {3, 3}, .pads = {1, 1, 1, 1}}, 24);
}

TEST(Conv, WeightsThatAreNotConstant) {
  check_case({.cin = 6,
              .cout = 21,
              .groups = 3,
              .in = {6, 6},
              .kernel = {3, 3},
              .pads = {1, 1, 1, 1},
              .constant = false},
             25);
  check_case({.cin = 3,
              .cout = 21,
              .in = {6, 6},
              .kernel = {3, 3},
              .pads = {1, 1, 1, 1},
              .constant = false},
             26);
  check_case(
      {.cin = 21, .cout = 21, .groups = 21, .in = {6, 6}, .kernel = {3, 3}, .constant = false}, 27);
}

TEST(Conv, RandomForms) {
  std::mt19937 random(7);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<unsigned>(high - low + 1));
  };
  for (std::uint32_t i = 0; i < 60; ++i) {
    SCOPED_TRACE(i);
    const std::int64_t groups = pick(1, 3), h = pick(6, 14), w = pick(6, 14);
    check_case({.batch = pick(1, 2),
                .cin = groups * pick(1, 20),
                .cout = groups * pick(1, 40),
                .groups = groups,
                .in = {h, w},
                .kernel = {pick(1, 3), pick(1, 3)},
                .stride = {pick(1, 3), pick(1, 3)},
                .dilation = {pick(1, 2), pick(1, 2)},
                .pads = {pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)},
                .bias = pick(0, 1) == 1,
                .residual = pick(0, 1) == 1,
                .constant = pick(0, 3) > 0},
               100 + i);
  }
}

TEST(Conv, HalfStoredWeights) {
  Node node = node_of({.cin = 12, .cout = 20, .in = {5, 5}, .kernel = {3, 3}}, 30);
  Node stored = node;
  stored.inputs[1] =
      constant(tensor_of(DType::float16, node.inputs[1].shape, node.inputs[1].numbers()));
  node.inputs[1] =
      constant(tensor_of(DType::float32, node.inputs[1].shape, stored.inputs[1].numbers()));
  for_each_table([&](const cpu::KernelTable& table) {
    EXPECT_EQ(stored.run(table).bytes, node.run(table).bytes);
  });
}

/// The same node with its operands stored as another type.
Node stored_as(Node node, DType dtype) {
  for (TensorData& input : node.inputs) {
    if (input.dtype == DType::none) continue;
    const bool is_constant = input.constant;
    input = tensor_of(dtype, input.shape, input.numbers());
    input.constant = is_constant;
  }
  return node;
}

TEST(Conv, OtherTypes) {
  const Case c{.cin = 6,
               .cout = 4,
               .groups = 2,
               .in = {5, 6},
               .kernel = {3, 3},
               .pads = {1, 0, 1, 0},
               .activation = fb::UnaryFunction::relu};
  const Node node = node_of(c, 31);
  const ReferenceResult expected = expected_of(c, node, node.output());
  for (const DType dtype : {DType::float64, DType::float16, DType::bfloat16}) {
    const Node other = stored_as(node, dtype);
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
    const Case c{
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
    const Node node = stored_as(node_of(c, 300 + i), dtype);
    const Node exact = stored_as(node, DType::float32);
    const ReferenceResult expected = expected_of(c, exact, exact.output());
    // The result is rounded, by some kernels before the activation too.
    expect_near(node.run(*cpu::available_tables().front()), expected.value, rounding(dtype, 2),
                rounding(dtype, 8));
  }
}

TEST(ConvTranspose, AgainstTheDefinition) {
  for (std::int64_t stride : {1, 2, 3})
    for (std::int64_t kernel : {1, 2, 3, 4})
      for (std::int64_t channels : {1, 5, 17})
        check_case({.batch = 2,
                    .cin = channels,
                    .cout = 19,
                    .in = {3, 5},
                    .kernel = {kernel, 3},
                    .stride = {stride, 2},
                    .pads = {0, 1, 0, 0},
                    .transposed = true},
                   40);
}

TEST(ConvTranspose, FewOutputChannels) {
  for (std::int64_t cout : {1, 2, 3, 4})
    for (std::int64_t cin : {16, 24, 33})
      check_case({.batch = 2,
                  .cin = cin,
                  .cout = cout,
                  .in = {5, 9},
                  .kernel = {2, 2},
                  .stride = {2, 2},
                  .transposed = true,
                  .activation = fb::UnaryFunction::sigmoid},
                 45);
}

TEST(ConvTranspose, AllAttributes) {
  check_case({.cin = 6,
              .cout = 8,
              .groups = 2,
              .in = {4, 3},
              .kernel = {3, 4},
              .stride = {2, 3},
              .dilation = {2, 1},
              .pads = {1, 2, 0, 1},
              .output_pads = {1, 2},
              .transposed = true,
              .activation = fb::UnaryFunction::relu},
             41);
  check_case({.cin = 6, .cout = 8, .in = {9}, .kernel = {2}, .stride = {4}, .transposed = true},
             42);
  check_case({.cin = 3,
              .cout = 5,
              .in = {3, 4, 2},
              .kernel = {2, 3, 2},
              .stride = {2, 1, 2},
              .pads = {0, 1, 0, 1, 0, 0},
              .bias = false,
              .transposed = true},
             43);
  check_case({.cin = 4,
              .cout = 20,
              .in = {5, 5},
              .kernel = {3, 3},
              .stride = {2, 2},
              .pads = {1, 1, 1, 1},
              .output_pads = {1, 1},
              .constant = false,
              .transposed = true},
             44);
}

void expect_refused(const Case& c) {
  const Node node = node_of(c, 50);
  expect_refused(node.op, node.attributes, node.inputs);
}

TEST(Conv, HostileAttributes) {
  const Case good{.cin = 4, .cout = 4, .in = {5, 5}, .kernel = {3, 3}};
  EXPECT_EQ(node_of(good, 50).output(), (Shape{1, 3, 3, 4}));
  const std::int64_t huge = INT64_MAX;
  for (std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, huge, -huge}) {
    Case c = good;
    c.stride = {bad, 1};
    expect_refused(c);
    c = good;
    c.dilation = {1, bad};
    expect_refused(c);
  }
  for (std::int64_t bad : {std::int64_t{-1}, huge}) {
    Case c = good;
    c.pads = {0, bad, 0, 0};
    expect_refused(c);
  }
  for (std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, INT64_MIN, huge}) {
    Node node = node_of(good, 50);
    fb::ConvAttrsT attrs;
    attrs.groups = bad;
    node.attributes = attrs;
    expect_refused(node.op, node.attributes, node.inputs);
  }
  for (const Shape& bad :
       {Shape{4, 3, 4}, Shape{4, 3, 3, 3}, Shape{0, 3, 3, 4}, Shape{4, 0, 3, 4}}) {
    Node node = node_of(good, 50);
    node.inputs[1] = random_tensor(bad, 1);
    node.inputs[2] = TensorData();
    const std::vector<TensorData> present{node.inputs[0], node.inputs[1]};
    expect_refused(node.op, node.attributes, present);
  }
  Case c = good;
  c.pads = {0, 0, 0};
  expect_refused(c);
  c = good;
  c.stride = {1};
  expect_refused(c);
  c = good;
  c.kernel = {6, 1};
  expect_refused(c);
  c = good;
  c.dilation = {1 << 27, 1};
  expect_refused(c);
  c = good;
  c.activation = fb::UnaryFunction::exp;
  expect_refused(c);
  c = good;
  c.output_pads = {1, 1};
  expect_refused(c);
  c = good;
  c.transposed = true;
  c.pads = {4, 4, 4, 4};
  expect_refused(c);
}

}  // namespace
}  // namespace skiff::test
