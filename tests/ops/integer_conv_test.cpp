#include <gtest/gtest.h>

#include <cmath>
#include <memory_resource>
#include <optional>
#include <string_view>

#include "runtime/ops/integer_kernels.h"
#include "runtime/ops/ops.h"
#include "tests/support/conv_cases.h"
#include "tests/support/reference_activation.h"

// Convolutions of quantized tensors against the same in double precision.
namespace skiff::test {
namespace {

using fb::OpKind;
using F = fb::UnaryFunction;

/// A value's quantization, built and owned.
class Quantized {
 public:
  Quantized(std::vector<float> scales, std::vector<std::int64_t> zeros, int axis = 0) {
    fb::QuantizationT q;
    q.scale = std::move(scales), q.zero_point = std::move(zeros), q.axis = axis;
    builder_.Finish(fb::Quantization::Pack(builder_, &q));
  }
  const fb::Quantization* get() const {
    return flatbuffers::GetRoot<fb::Quantization>(builder_.GetBufferPointer());
  }

 private:
  flatbuffers::FlatBufferBuilder builder_;
};

/// Stored numbers, within their type.
struct Range {
  double least = -1e9, most = 1e9;
};

struct IntegerCase {
  ConvCase conv;  ///< its extents, activation and whether it has a bias
  DType x = DType::uint8, y = DType::uint8;
  bool per_channel = true;
  float y_scale = 0;  ///< 0: such that results fill about half of the type
  std::optional<std::int64_t> x_zero = {};
  Range of_x = {}, of_w = {};
};

constexpr float kScale = 0.013f;
std::int64_t zero_of(DType dtype) { return dtype == DType::int8 ? -9 : 117; }
std::int64_t x_zero(const IntegerCase& c) { return c.x_zero.value_or(zero_of(c.x)); }

TensorData integers(DType dtype, const Shape& shape, const Range& range, unsigned seed) {
  const double low = dtype == DType::int8 ? -128 : 0;
  std::vector<double> numbers = random_numbers(shape.elements(), std::max(low, range.least),
                                               std::min(low + 255, range.most) + 0.999, seed);
  for (double& number : numbers) number = std::floor(number);
  return tensor_of(dtype, shape, numbers);
}

/// Real numbers of a tensor, as float32 holds them apart from their scale.
TensorData less_zero(const TensorData& stored, std::int64_t zero) {
  std::vector<double> numbers = stored.numbers();
  for (double& number : numbers) number -= static_cast<double>(zero);
  return tensor_of(DType::float32, stored.shape, numbers);
}

std::vector<float> weight_scales(const IntegerCase& c) {
  std::vector<float> scales;
  for (std::int64_t i = 0; i < (c.per_channel ? c.conv.cout : 1); ++i)
    scales.push_back(0.004f + 0.0007f * static_cast<float>(i % 11));
  return scales;
}

/// The real results, before they are quantized.
std::vector<double> real_results(const IntegerCase& c, const ConvNode& node, const Shape& out) {
  ConvCase plain = c.conv;
  plain.bias = false, plain.activation = F::none;
  const ConvNode floats{OpKind::conv,
                        node.attributes,
                        {less_zero(node.inputs[0], x_zero(c)), less_zero(node.inputs[1], 0)}};
  std::vector<double> sums = expected_of(plain, floats, out).value;
  const std::vector<float> scales = weight_scales(c);
  const std::vector<double> bias =
      c.conv.bias ? node.inputs[2].numbers() : std::vector<double>(scales.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t channel = i % static_cast<std::size_t>(c.conv.cout);
    sums[i] *= static_cast<double>(kScale) * static_cast<double>(scales[channel % scales.size()]);
    if (c.conv.bias) sums[i] += bias[channel];
    sums[i] = reference_activation(c.conv.activation, sums[i], c.conv.alpha, c.conv.beta);
  }
  return sums;
}

double largest(const std::vector<double>& numbers) {
  double most = 1e-6;
  for (const double number : numbers) most = std::max(most, std::abs(number));
  return most;
}

/// Each stored number is the real one over its scale, rounded, within float32's rounding.
void expect_quantized(const TensorData& y, const std::vector<double>& real, float scale) {
  const double low = y.dtype == DType::int8 ? -128 : 0;
  const auto zero = static_cast<double>(zero_of(y.dtype));
  const std::vector<double> got = y.numbers();
  ASSERT_EQ(got.size(), real.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double exact = std::clamp(real[i] / static_cast<double>(scale) + zero, low, low + 255);
    ASSERT_LE(std::abs(got[i] - exact), 0.5 + 1e-4) << "element " << i;
  }
}

/// make_integer_conv_cpu() with the table's own products in place of the machine's best.
KernelPtr make_plain(const KernelSpec& spec) {
  return make_integer_product(spec, read_conv_geometry(spec.node), spec.table.integers);
}

/// Every device rounds as instruction sets do that multiply and add at once; only what other
/// activations compute in floats may differ in the last bits.
bool same_bits_everywhere(const IntegerCase& c, const cpu::KernelTable& table) {
  const F f = c.conv.activation;
  return std::string_view(table.name) != "sse2" &&
         (c.y != DType::float32 || f == F::none || f == F::relu || f == F::clip);
}

void check_integers(const IntegerCase& c, unsigned seed) {
  ConvNode node = node_of(c.conv, seed);
  fb::ConvAttrsT attrs;
  flatbuffers::GetRoot<fb::ConvAttrs>(node.attributes.buffer.data())->UnPackTo(&attrs);
  attrs.to = c.y == DType::float32 ? fb::DType::none : static_cast<fb::DType>(c.y);
  node.op = OpKind::integer_conv, node.attributes = attrs;
  const Quantized of_x({kScale}, {x_zero(c)}), of_w(weight_scales(c), {});
  node.inputs[0] = integers(c.x, node.inputs[0].shape, c.of_x, seed);
  node.inputs[1] = constant(integers(DType::int8, node.inputs[1].shape, c.of_w, seed + 1));
  node.inputs[0].quantization = of_x.get(), node.inputs[1].quantization = of_w.get();
  const Shape out = node.output();
  const std::vector<double> real = real_results(c, node, out);
  const float scale = c.y_scale > 0 ? c.y_scale : static_cast<float>(largest(real)) / 200;
  const Quantized of_y({scale}, {zero_of(c.y)});
  const OpDef plain{OpKind::integer_conv, "plain",   fb::Attrs::ConvAttrs, 2, 3, 1, 1,
                    infer_integer_conv,   make_plain};
  for_each_table([&](const cpu::KernelTable& table) {
    for (const OpDef* row : {static_cast<const OpDef*>(nullptr), &plain}) {
      const OpResult result = run_op(node.op, node.attributes, node.operands(),
                                     {.table = &table,
                                      .row = row,
                                      .attributes = node.attributes.table(),
                                      .result = of_y.get(),
                                      .same_bits = same_bits_everywhere(c, table)});
      ASSERT_TRUE(result.status.ok());
      if (c.y == DType::float32)
        expect_near(result[0], real, 1e-6, 1e-5 * largest(real));
      else
        expect_quantized(result[0], real, scale);
    }
  });
}

TEST(IntegerConv, Products) {
  unsigned seed = 1;
  for (const DType x : {DType::uint8, DType::int8})
    for (std::int64_t cin : {1, 3, 4, 15, 16, 17, 255, 300})
      for (std::int64_t cout : {1, 5, 16, 33, 100})
        check_integers({{.cin = cin, .cout = cout, .in = {3, 7}, .kernel = {1, 1}}, x}, ++seed);
}

TEST(IntegerConv, Windows) {
  unsigned seed = 100;
  for (const DType x : {DType::uint8, DType::int8})
    for (const DType y : {DType::uint8, DType::int8, DType::float32})
      for (std::int64_t width : {1, 2, 7, 8, 21})
        for (std::int64_t cin : {3, 8})
          check_integers({{.batch = 2,
                           .cin = cin,
                           .cout = 20,
                           .in = {5, width},
                           .kernel = {3, 3},
                           .stride = {2, 1},
                           .pads = {1, 1, 1, 1}},
                          x,
                          y,
                          width % 2 == 0},
                         ++seed);
}

/// More than a block of pixels and channels, and many pieces of the sum: taps that begin at any
/// byte, word or chunk of them.
TEST(IntegerConv, AtTheEdgesOfTiles) {
  unsigned seed = 200;
  for (const DType x : {DType::uint8, DType::int8})
    for (std::int64_t cin : {3, 5, 12, 16, 23, 40, 80})
      check_integers({{.batch = 2,
                       .cin = cin,
                       .cout = 71,
                       .in = {9, 8},
                       .kernel = {3, 3},
                       .stride = {1, 2},
                       .dilation = {2, 1},
                       .pads = {2, 1, 2, 1}},
                      x,
                      cin % 2 == 0 ? x : DType::float32},
                     ++seed);
  for (std::int64_t cin : {8, 32})
    check_integers(
        {{.cin = cin, .cout = 64, .in = {4, 3, 6}, .kernel = {2, 3, 2}, .pads = {1, 0, 2, 0, 1, 1}},
         DType::int8,
         DType::uint8,
         false},
        ++seed);
}

TEST(IntegerConv, OfAnyForm) {
  check_integers({{.cin = 12,
                   .cout = 18,
                   .groups = 3,
                   .in = {6, 9},
                   .kernel = {3, 2},
                   .dilation = {2, 3},
                   .pads = {0, 2, 1, 0}}},
                 300);
  check_integers({{.cin = 5, .cout = 6, .in = {31}, .kernel = {5}, .stride = {3}, .pads = {4, 0}},
                  DType::int8},
                 301);
  check_integers({{.cin = 2, .cout = 3, .in = {4, 5, 6}, .kernel = {2, 3, 2}, .bias = false}}, 302);
  check_integers({{.cin = 2, .cout = 3, .in = {9, 9}, .kernel = {9, 9}, .pads = {4, 4, 4, 4}}},
                 303);
}

TEST(IntegerConv, Activations) {
  const ConvCase conv{.cin = 9, .cout = 17, .in = {4, 6}, .kernel = {2, 2}};
  for (const F f : {F::none, F::relu, F::clip, F::hard_swish, F::sigmoid}) {
    ConvCase with = conv;
    with.activation = f, with.alpha = -0.4f, with.beta = 0.9f;
    check_integers({with, DType::uint8, DType::float32}, 400);
    if (f == F::none || f == F::relu || f == F::clip)
      check_integers({with, DType::int8, DType::uint8}, 401);
  }
}

TEST(IntegerConv, Saturates) {
  const ConvCase conv{.cin = 64, .cout = 20, .in = {4, 6}, .kernel = {1, 1}};
  for (const DType y : {DType::uint8, DType::int8})
    check_integers({conv, DType::uint8, y, true, 1e-3f}, 450);
}

TEST(IntegerConv, Depthwise) {
  unsigned seed = 500;
  for (const DType x : {DType::uint8, DType::int8})
    for (std::int64_t channels : {2, 16, 17, 70})
      for (std::int64_t stride : {1, 2})
        for (std::int64_t width : {1, 8, 13})
          check_integers({{.batch = 2,
                           .cin = channels,
                           .cout = channels,
                           .groups = channels,
                           .in = {17, width},
                           .kernel = {3, 3},
                           .stride = {stride, stride},
                           .pads = {1, 1, 1, 1},
                           .activation = F::clip,
                           .alpha = 0,
                           .beta = 6},
                          x,
                          channels == 16 ? DType::float32 : DType::uint8},
                         ++seed);
  check_integers({{.cin = 19,
                   .cout = 19,
                   .groups = 19,
                   .in = {2, 40},
                   .kernel = {5, 3},
                   .dilation = {3, 2},
                   .pads = {9, 2, 9, 2}}},
                 600);
}

/// The largest sums there can be, of both signs.
TEST(IntegerConv, SumsAreExactToTheEndOfInt32) {
  const ConvCase conv{
      .cin = kMostIntegerProducts, .cout = 2, .in = {1, 3}, .kernel = {1, 1}, .bias = false};
  for (const Range of_w : {Range{127, 127}, Range{-128, -128}, Range{}}) {
    check_integers({conv, DType::uint8, DType::float32, true, 0, 0, {255, 255}, of_w}, 700);
    check_integers({conv, DType::int8, DType::float32, true, 0, 127, {-128, -128}, of_w}, 701);
  }
}

/// Kernels with equal keys share the packed form of a constant.
TEST(IntegerConv, PackedWeightsOfOtherSignsAreOthers) {
  const Quantized of_x({kScale}, {5}), of_w({0.5f}, {}), of_y({1.0f}, {5});
  for (const std::int64_t groups : {1, 4}) {
    fb::ConvAttrsT table;
    table.groups = groups;
    const Attributes attrs(table);
    std::vector<std::uint64_t> keys;
    for (const DType x : {DType::uint8, DType::int8}) {
      const TensorInfo input{x, {1, 2, 2, 4}, "x", of_x.get(), false};
      const TensorInfo weights{DType::int8, {4, 1, 1, 4 / groups}, "w", of_w.get(), true};
      const TensorInfo* inputs[] = {&input, &weights};
      const NodeView node{OpKind::integer_conv, 1, attrs.table(), inputs, "node"};
      const TensorInfo output{DType::float32, {1, 2, 2, 4}, "y", of_y.get(), false};
      std::pmr::monotonic_buffer_resource memory;
      const KernelPtr kernel =
          make_integer_conv_cpu({node, {&output, 1}, cpu::choose_table("auto"), 1, memory});
      keys.push_back(kernel->pack_key(1));
    }
    // A product that takes both signs as they are packs the same for both.
    const cpu::IntegerTable& integers = cpu::best_integers(cpu::choose_table("auto"));
    const bool same = groups == 1 && integers.int8_offset == integers.uint8_offset;
    EXPECT_EQ(keys[0] == keys[1], same);
  }
}

class IntegerRefused : public ::testing::Test {
 protected:
  Quantized scale_{{0.1f}, {3}}, two_{{0.1f, 0.2f}, {}}, bad_{{-1.0f}, {}}, far_{{0.1f}, {300}};
  Quantized off_{{0.1f}, {1}};

  static TensorData with(TensorData data, const fb::Quantization* q) {
    data.quantization = q;
    return data;
  }
  TensorData x(const fb::Quantization* q) {
    return with(integers(DType::uint8, {1, 2, 2, 3}, {0, 9}, 1), q);
  }
  TensorData w(const fb::Quantization* q) {
    return constant(with(integers(DType::int8, {2, 1, 1, 3}, {0, 9}, 1), q));
  }
};

TEST_F(IntegerRefused, WrongOperands) {
  const fb::ConvAttrsT attrs;
  const auto refuse = [&](const std::vector<TensorData>& operands) {
    expect_refused(OpKind::integer_conv, attrs, operands);
  };
  refuse({x(nullptr), w(two_.get())});
  refuse({x(two_.get()), w(two_.get())});
  refuse({x(bad_.get()), w(two_.get())});
  refuse({x(far_.get()), w(two_.get())});
  refuse({x(scale_.get()), w(nullptr)});
  refuse({x(scale_.get()), w(off_.get())});
  refuse({x(scale_.get()), w(bad_.get())});
  TensorData variable = w(two_.get());
  variable.constant = false;
  refuse({x(scale_.get()), variable});
  refuse({x(scale_.get()), constant(random_tensor(Shape{2, 1, 1, 3}, 1))});
  refuse({random_tensor(Shape{1, 2, 2, 3}, 1), w(two_.get())});
  refuse({x(scale_.get()), w(two_.get()), tensor<std::int32_t>({2}, {1, 2})});
}

TEST_F(IntegerRefused, WrongResults) {
  fb::ConvAttrsT attrs;
  attrs.to = fb::DType::int16;
  expect_refused(OpKind::integer_conv, attrs, {x(scale_.get()), w(two_.get())});
  attrs.to = fb::DType::uint8, attrs.activation = F::sigmoid;
  expect_refused(OpKind::integer_conv, attrs, {x(scale_.get()), w(two_.get())});
}

ErrorCode code_of_run(const fb::ConvAttrsT& attrs, const std::vector<TensorData>& operands) {
  try {
    run_op(OpKind::integer_conv, attrs, operands_of(operands));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::ok;
}

TEST_F(IntegerRefused, SumsThatCouldOverflow) {
  const Quantized one({0.1f}, {});
  const TensorData wide =
      with(integers(DType::uint8, {1, 1, kMostIntegerProducts + 1}, {0, 9}, 1), scale_.get());
  const TensorData weights =
      constant(with(integers(DType::int8, {1, 1, kMostIntegerProducts + 1}, {0, 9}, 1), one.get()));
  EXPECT_EQ(code_of_run({}, {wide, weights}), ErrorCode::unsupported);
}

TEST_F(IntegerRefused, AResultWithoutItsScale) {
  fb::ConvAttrsT attrs;
  attrs.to = fb::DType::uint8;
  EXPECT_EQ(code_of_run(attrs, {x(scale_.get()), w(two_.get())}), ErrorCode::invalid_model);
}

}  // namespace
}  // namespace skiff::test
