#include "runtime/ops/conv_block.h"

#include <gtest/gtest.h>

#include "tests/support/closeness.h"
#include "tests/support/op_runner.h"
#include "tests/support/reference_activation.h"
#include "tests/support/reference_conv.h"

// Blocks of convolutions as one step: the bits of the convolutions one by one, and near the naive
// reference.
namespace skiff::test {
namespace {

using Two = std::array<std::int64_t, 2>;

/// A block over images of [batch, in, cin]: [expand to `wide`,] depthwise [, project to `cout`].
struct Case {
  std::int64_t batch = 1, cin = 4, wide = 0, cout = 0;  // 0: that end is missing
  Two in{8, 8};
  std::int64_t stem = 0, stem_stride = 1;  // the expansion's window, 0: one pixel
  Two kernel{3, 3}, stride{1, 1}, dilation{1, 1};
  std::array<std::int64_t, 4> pads{1, 1, 1, 1};
  bool bias = true, residual = false;
  fb::UnaryFunction activation = fb::UnaryFunction::relu;
  float alpha = 0.25f, beta = 1.5f;
};

struct Layer {
  fb::ConvAttrsT attributes;
  std::vector<TensorData> operands;  // of dtype none: absent; those of the first include its input
};

/// A chain of convolutions, run one by one and as a block.
class Chain {
 public:
  Chain(const Case& c, unsigned seed) : c_(c), seed_(seed) {
    input_ = random_tensor({c.batch, c.in[0], c.in[1], c.cin}, seed_++);
    Shape x = input_.shape;
    if (c.wide > 0) {
      fb::ConvAttrsT expand = activated();
      if (c.stem > 0) {
        expand.strides = {c.stem_stride, c.stem_stride};
        expand.pads = {c.stem / 2, c.stem / 2, c.stem / 2, c.stem / 2};
      }
      const std::int64_t window = std::max<std::int64_t>(c.stem, 1);
      x = add(expand, x, {c.wide, window, window, c.cin});
    }
    depthwise_ = static_cast<int>(layers_.size());
    fb::ConvAttrsT middle = activated();
    middle.strides = {c.stride[0], c.stride[1]};
    middle.dilations = {c.dilation[0], c.dilation[1]};
    middle.pads.assign(c.pads.begin(), c.pads.end());
    middle.groups = x.back();
    x = add(middle, x, {x.back(), c.kernel[0], c.kernel[1], 1});
    if (c.cout > 0) {
      fb::ConvAttrsT project = activated();
      if (c.residual) project.activation = fb::UnaryFunction::none;
      x = add(project, x, {c.cout, 1, 1, x.back()});
    }
    if (c.residual) layers_.back().operands.push_back(random_tensor(x, seed_++));
  }

  TensorData one_by_one(const cpu::KernelTable& table) const {
    TensorData x = input_;
    for (const Layer& layer : layers_)
      x = run_op(fb::OpKind::conv, layer.attributes, operands(layer, x), {.table = &table})[0];
    return x;
  }

  TensorData as_block(const cpu::KernelTable& table) const {
    ConvBlock block{.count = static_cast<int>(layers_.size()), .depthwise = depthwise_};
    std::vector<Attributes> attributes;
    std::vector<const TensorData*> inputs{&input_};
    for (std::size_t p = 0; p < layers_.size(); ++p) {
      attributes.emplace_back(layers_[p].attributes);
      block.parts[p] = {.def = find_op(fb::OpKind::conv),
                        .attributes = attributes.back().table(),
                        .name = "part"};
      block.parts[p].operands = {p == 0 ? 0 : Part::kPrevious, -1, -1, -1};
      for (std::size_t i = 0; i < layers_[p].operands.size(); ++i) {
        if (layers_[p].operands[i].dtype == DType::none) continue;
        block.parts[p].operands[i + 1] = static_cast<int>(inputs.size());
        inputs.push_back(&layers_[p].operands[i]);
      }
    }
    const OpResult result =
        run_op(fb::OpKind::none, {}, inputs,
               {.table = &table, .threads = 4, .row = &conv_block_op(), .attributes = &block});
    EXPECT_TRUE(result.status.ok());
    return result[0];
  }

  /// In double precision from the definition, and the sums of magnitudes, which bound the errors.
  ReferenceResult reference() const {
    ReferenceResult x{input_.numbers(), {}};
    for (double v : x.value) x.magnitude.push_back(std::abs(v));
    Shape shape = input_.shape;
    for (const Layer& layer : layers_) x = reference(layer, x, shape);
    return x;
  }

 private:
  fb::ConvAttrsT activated() const {
    fb::ConvAttrsT attributes;
    attributes.activation = c_.activation;
    attributes.alpha = c_.alpha;
    attributes.beta = c_.beta;
    return attributes;
  }

  Shape add(const fb::ConvAttrsT& attributes, const Shape& x, const Shape& weights) {
    Layer layer{attributes, {constant(random_tensor(weights, seed_++))}};
    layer.operands.push_back(c_.bias ? constant(random_tensor({weights[0]}, seed_++))
                                     : TensorData());
    TensorData like{DType::float32, x, {}, false, nullptr};
    layers_.push_back(std::move(layer));
    return infer_op(fb::OpKind::conv, attributes, operands(layers_.back(), like))[0].shape;
  }

  static std::vector<const TensorData*> operands(const Layer& layer, const TensorData& x) {
    std::vector<const TensorData*> all = operands_of(layer.operands);
    all.insert(all.begin(), &x);
    return all;
  }

  ReferenceResult reference(const Layer& layer, const ReferenceResult& x, Shape& shape) const {
    const fb::ConvAttrsT& a = layer.attributes;
    const Shape& w = layer.operands[0].shape;
    const auto or_ones = [](const std::vector<std::int64_t>& v) {
      return v.empty() ? std::vector<std::int64_t>{1, 1, 1}
                       : std::vector<std::int64_t>{1, v[0], v[1]};
    };
    const TensorData like{DType::float32, shape, {}, false, nullptr};
    const Shape y = infer_op(fb::OpKind::conv, a, operands(layer, like))[0].shape;
    ReferenceConv r{shape[0],       shape.back(), w[0], a.groups, {1, shape[1], shape[2]},
                    {1, w[1], w[2]}};
    r.stride = or_ones(a.strides), r.dilation = or_ones(a.dilations);
    if (!a.pads.empty()) r.pad_begin = {0, a.pads[0], a.pads[1]};
    r.out = {1, y[1], y[2]};
    const std::vector<float> from(x.value.begin(), x.value.end());
    const std::vector<float> spread(x.magnitude.begin(), x.magnitude.end());
    ReferenceResult result =
        reference_conv(r, from.data(), layer.operands[0].values<float>().data());
    result.magnitude =
        reference_conv(r, spread.data(), layer.operands[0].values<float>().data()).magnitude;
    for (std::size_t i = 0; i < result.value.size(); ++i) {
      if (c_.bias)
        result.value[i] += layer.operands[1].numbers()[i % static_cast<std::size_t>(w[0])];
      if (layer.operands.size() > 2) result.value[i] += layer.operands[2].numbers()[i];
      result.value[i] = reference_activation(
          a.activation, result.value[i], static_cast<double>(a.alpha), static_cast<double>(a.beta));
      result.magnitude[i] += 4;
    }
    shape = y;
    return result;
  }

  Case c_;
  unsigned seed_;
  TensorData input_;
  std::vector<Layer> layers_;
  int depthwise_ = 0;
};

void check_case(const Case& c, unsigned seed) {
  const Chain chain(c, seed);
  const ReferenceResult expected = chain.reference();
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData whole = chain.one_by_one(table), strips = chain.as_block(table);
    ASSERT_EQ(whole.shape, strips.shape);
    // Where another device computes the single convolutions their bits are others.
    EXPECT_TRUE(device_run() != nullptr || whole.bytes == strips.bytes)
        << "not the bits of the single convolutions";
    expect_close(strips.values<float>(), expected.value,
                 [&](std::size_t i) { return 40 * 0x1p-24 * expected.magnitude[i]; });
  });
}

TEST(ConvBlock, ChannelsAndWidths) {
  unsigned seed = 1;
  for (std::int64_t channels : {3, 15, 16, 17, 70})
    for (std::int64_t width : {1, 2, 7, 8, 30})
      for (std::int64_t stride : {1, 2})
        check_case({.batch = 2,
                    .cin = channels % 5 + 1,
                    .wide = channels,
                    .cout = channels / 2 + 1,
                    .in = {9, width},
                    .stride = {stride, stride}},
                   seed += 20);
}

TEST(ConvBlock, EitherEndAlone) {
  unsigned seed = 2;
  for (std::int64_t channels : {3, 16, 33})
    for (std::int64_t stride : {1, 2})
      for (bool residual : {false, true}) {
        check_case({.batch = 2,
                    .cin = channels,
                    .cout = 17,
                    .in = {10, 13},
                    .stride = {stride, stride},
                    .residual = residual},
                   seed += 20);
        check_case({.batch = 2,
                    .cin = 5,
                    .wide = channels,
                    .in = {10, 13},
                    .stride = {stride, stride},
                    .residual = residual},
                   seed += 20);
      }
}

TEST(ConvBlock, WindowsOfEveryForm) {
  unsigned seed = 3;
  const Case whole{.cin = 6, .wide = 20, .cout = 12, .in = {13, 11}};
  for (std::int64_t kernel : {1, 2, 3, 5, 7})
    for (std::int64_t stride : {1, 2, 3})
      for (std::int64_t dilation : {1, 2}) {
        Case c = whole;
        c.kernel = {kernel, kernel};
        c.stride = {stride, stride};
        c.dilation = {dilation, dilation};
        const std::int64_t pad = kernel / 2 * dilation;
        c.pads = {pad, pad, pad, pad};
        check_case(c, seed += 20);
        c.pads = {0, pad, kernel - 1, 0};  // as TensorFlow pads, and further
        check_case(c, seed += 20);
      }
  Case c = whole;
  c.kernel = {2, 5}, c.stride = {2, 1}, c.dilation = {3, 1}, c.pads = {5, 4, 7, 0};
  check_case(c, 77);
  c.kernel = {3, 3}, c.in = {2, 2}, c.dilation = {1, 1}, c.pads = {6, 6, 6, 6};  // mostly padding
  check_case(c, 78);
}

TEST(ConvBlock, ManyStripsOfWideRows) {
  for (std::int64_t stride : {1, 2}) {
    check_case({.cin = 3,
                .wide = 40,
                .cout = 8,
                .in = {21, 150},
                .stride = {stride, stride},
                .residual = stride == 1},
               5);
    check_case({.batch = 2,
                .cin = 4,
                .wide = 24,
                .cout = 5,
                .in = {40, 33},
                .kernel = {5, 5},
                .stride = {stride, stride},
                .pads = {2, 2, 2, 2}},
               6);
  }
}

TEST(ConvBlock, BehindAStem) {
  unsigned seed = 7;
  for (std::int64_t stem : {2, 3, 5})
    for (std::int64_t stride : {1, 2})
      check_case({.batch = 2,
                  .cin = 3,
                  .wide = 16,
                  .cout = 9,
                  .in = {27, 30},
                  .stem = stem,
                  .stem_stride = stride,
                  .stride = {3 - stride, 3 - stride}},
                 seed += 20);
}

TEST(ConvBlock, Activations) {
  for (int f = 0; f <= static_cast<int>(fb::UnaryFunction::shrink); ++f) {
    const auto function = static_cast<fb::UnaryFunction>(f);
    if (function == fb::UnaryFunction::thresholded_relu || function == fb::UnaryFunction::shrink)
      continue;  // they jump: see Activations in cpu_test
    SCOPED_TRACE(fb::EnumNameUnaryFunction(function));
    for (bool residual : {false, true})
      check_case({.cin = 5,
                  .wide = 19,
                  .cout = 18,
                  .in = {6, 5},
                  .bias = f % 2 == 0,
                  .residual = residual,
                  .activation = function},
                 static_cast<unsigned>(100 + f));
  }
}

}  // namespace
}  // namespace skiff::test
