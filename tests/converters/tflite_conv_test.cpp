#include <gtest/gtest.h>

#include <cmath>

#include "tests/converters/tflite_builder.h"

// Convolutions and pools in the format's own terms, computed by loops over its own layouts.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::Padding;
using Dims = TfliteBuilder::Dims;

/// One axis of windows: output extent and elements padded before the first.
struct Window {
  int out = 0;
  int before = 0;
};

Window window(int in, int kernel, int stride, int dilation, Padding padding) {
  const int reach = (kernel - 1) * dilation + 1;
  if (padding == Padding::valid) return {(in - reach) / stride + 1, 0};
  const int out = (in + stride - 1) / stride;
  return {out, std::max((out - 1) * stride + reach - in, 0) / 2};
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << "element " << i;
}

std::size_t count(const Dims& dims) {
  std::size_t product = 1;
  for (std::int32_t extent : dims) product *= static_cast<std::size_t>(extent);
  return product;
}

struct ConvCase {
  int height, width, channels, out_channels;  // out_channels: the multiplier when depthwise
  int kernel, stride, dilation;
  Padding padding;
};

class TfliteConv : public ::testing::TestWithParam<ConvCase> {
 protected:
  /// y[oy, ox, o] = bias[o] + sum of x[iy, ix, i] * w(ky, kx, i, o)
  template <typename Weight>
  std::vector<double> expected(const std::vector<float>& x, const std::vector<float>& bias,
                               int outputs, Weight weight) {
    const ConvCase& c = GetParam();
    const Window v = window(c.height, c.kernel, c.stride, c.dilation, c.padding);
    const Window h = window(c.width, c.kernel, c.stride, c.dilation, c.padding);
    std::vector<double> y;
    for (int oy = 0; oy < v.out; ++oy)
      for (int ox = 0; ox < h.out; ++ox)
        for (int o = 0; o < outputs; ++o) {
          double sum = bias[static_cast<std::size_t>(o)];
          for (int ky = 0; ky < c.kernel; ++ky)
            for (int kx = 0; kx < c.kernel; ++kx)
              for (int i = 0; i < c.channels; ++i) {
                const int iy = oy * c.stride - v.before + ky * c.dilation;
                const int ix = ox * c.stride - h.before + kx * c.dilation;
                if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) continue;
                const auto at = static_cast<std::size_t>((iy * c.width + ix) * c.channels + i);
                sum += static_cast<double>(x[at]) * weight(ky, kx, i, o);
              }
          y.push_back(std::clamp(sum, 0.0, 6.0));
        }
    return y;
  }
};

TEST_P(TfliteConv, Conv2D) {
  const ConvCase& c = GetParam();
  const Dims shape = {1, c.height, c.width, c.channels};
  const Dims filter = {c.out_channels, c.kernel, c.kernel, c.channels};
  const auto x = noise(count(shape), 1), w = noise(count(filter), 2);
  const auto bias = noise(static_cast<std::size_t>(c.out_channels), 3);
  TfliteBuilder model;
  const int a = model.constant("x", shape, x), b = model.constant("w", filter, w),
            d = model.constant("bias", {c.out_channels}, bias), y = model.tensor("y", {});
  model.op(Builtin::CONV_2D, {a, b, d}, {y},
           tflite::CreateConv2D(model.tables(), c.padding, c.stride, c.stride,
                                tflite::Activation::relu6, c.dilation, c.dilation));
  expect_near(
      computed(model, y), expected(x, bias, c.out_channels, [&](int ky, int kx, int i, int o) {
        return w[static_cast<std::size_t>(((o * c.kernel + ky) * c.kernel + kx) * c.channels + i)];
      }));
}

TEST_P(TfliteConv, DepthwiseConv2D) {
  const ConvCase& c = GetParam();
  const int multiplier = c.out_channels, outputs = c.channels * multiplier;
  const Dims shape = {1, c.height, c.width, c.channels}, filter = {1, c.kernel, c.kernel, outputs};
  const auto x = noise(count(shape), 4), w = noise(count(filter), 5);
  const auto bias = noise(static_cast<std::size_t>(outputs), 6);
  TfliteBuilder model;
  const int a = model.constant("x", shape, x), b = model.constant("w", filter, w),
            d = model.constant("bias", {outputs}, bias), y = model.tensor("y", {});
  model.op(Builtin::DEPTHWISE_CONV_2D, {a, b, d}, {y},
           tflite::CreateDepthwiseConv2D(model.tables(), c.padding, c.stride, c.stride, multiplier,
                                         tflite::Activation::relu6, c.dilation, c.dilation));
  expect_near(computed(model, y), expected(x, bias, outputs, [&](int ky, int kx, int i, int o) {
                if (o / multiplier != i) return 0.0F;
                return w[static_cast<std::size_t>((ky * c.kernel + kx) * outputs + o)];
              }));
}

INSTANTIATE_TEST_SUITE_P(Windows, TfliteConv,
                         ::testing::Values(ConvCase{5, 7, 3, 2, 3, 1, 1, Padding::same},
                                           ConvCase{6, 8, 4, 3, 3, 2, 1, Padding::same},
                                           ConvCase{7, 5, 2, 1, 2, 3, 1, Padding::same},
                                           ConvCase{9, 9, 1, 4, 3, 1, 2, Padding::same},
                                           ConvCase{6, 6, 5, 2, 3, 2, 1, Padding::valid},
                                           ConvCase{8, 7, 2, 2, 1, 2, 1, Padding::same}));

TEST(TfliteConvForms, GroupsFollowFromTheFiltersChannels) {
  TfliteBuilder model;
  const int x = model.constant<float>("x", {1, 1, 1, 4}, {1, 2, 3, 4}),
            w = model.constant<float>("w", {2, 1, 1, 2}, {1, 10, 100, 1000}),
            y = model.tensor("y", {1, 1, 1, 2});
  model.op(Builtin::CONV_2D, {x, w, -1}, {y},
           tflite::CreateConv2D(model.tables(), Padding::valid, 1, 1));
  expect_near(computed(model, y), {21, 4300});
}

/// Every input element adds its filter to the output, cropped as the forward rule pads.
std::vector<double> scattered(const std::vector<float>& x, const std::vector<float>& w, int in,
                              int out, int kernel, int stride, int before) {
  std::vector<double> y(static_cast<std::size_t>(out * out), 0.0);
  for (int iy = 0; iy < in; ++iy)
    for (int ix = 0; ix < in; ++ix)
      for (int ky = 0; ky < kernel; ++ky)
        for (int kx = 0; kx < kernel; ++kx) {
          const int oy = iy * stride + ky - before, ox = ix * stride + kx - before;
          if (oy < 0 || oy >= out || ox < 0 || ox >= out) continue;
          y[static_cast<std::size_t>(oy * out + ox)] +=
              static_cast<double>(x[static_cast<std::size_t>(iy * in + ix)]) *
              w[static_cast<std::size_t>(ky * kernel + kx)];
        }
  return y;
}

struct TransposeCase {
  int in, out, kernel, stride;
  Padding padding;
};
class TfliteTransposeConv : public ::testing::TestWithParam<TransposeCase> {};

TEST_P(TfliteTransposeConv, GivesTheWantedShape) {
  const TransposeCase& c = GetParam();
  const auto x = counting(static_cast<std::size_t>(c.in * c.in)),
             w = noise(static_cast<std::size_t>(c.kernel * c.kernel), 7);
  TfliteBuilder model;
  const int shape = model.constant<std::int32_t>("shape", {4}, {1, c.out, c.out, 1}),
            b = model.constant("w", {1, c.kernel, c.kernel, 1}, w),
            a = model.constant("x", {1, c.in, c.in, 1}, x), y = model.tensor("y", {});
  model.op(Builtin::TRANSPOSE_CONV, {shape, b, a}, {y},
           tflite::CreateTransposeConv(model.tables(), c.padding, c.stride, c.stride));
  const int before =
      c.padding == Padding::valid ? 0 : window(c.out, c.kernel, c.stride, 1, c.padding).before;
  expect_near(computed(model, y), scattered(x, w, c.in, c.out, c.kernel, c.stride, before));
}

INSTANTIATE_TEST_SUITE_P(Windows, TfliteTransposeConv,
                         ::testing::Values(TransposeCase{3, 6, 3, 2, Padding::same},
                                           TransposeCase{3, 5, 3, 2, Padding::same},
                                           TransposeCase{4, 4, 3, 1, Padding::same},
                                           TransposeCase{3, 7, 3, 2, Padding::valid},
                                           TransposeCase{3, 8, 3, 2, Padding::valid},
                                           TransposeCase{2, 4, 2, 2, Padding::same}));

TEST(TfliteConvForms, TransposedConvolutionWithBiasOfMediaPipe) {
  // 2x2, stride 2: each element is spread over its own block of the output.
  TfliteBuilder model;
  const int x = model.constant<float>("x", {1, 1, 2, 1}, {1, 2}),
            w = model.constant<float>("w", {1, 2, 2, 1}, {1, 2, 3, 4}),
            b = model.constant<float>("b", {1}, {100}), y = model.tensor("y", {1, 2, 4, 1});
  model.custom("Convolution2DTransposeBias", {x, w, b}, {y}, {1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0});
  expect_near(computed(model, y), {101, 102, 102, 104, 103, 104, 106, 108});
}

class TflitePool : public ::testing::TestWithParam<Builtin> {};

TEST_P(TflitePool, LeavesOutThePadding) {
  const int in = 5, kernel = 3, stride = 2;
  const auto x = counting(25, 0.25F);
  TfliteBuilder model;
  const int a = model.constant("x", {1, in, in, 1}, x), y = model.tensor("y", {});
  model.op(GetParam(), {a}, {y},
           tflite::CreatePool2D(model.tables(), Padding::same, stride, stride, kernel, kernel));
  const Window w = window(in, kernel, stride, 1, Padding::same);
  std::vector<double> expected;
  for (int oy = 0; oy < w.out; ++oy)
    for (int ox = 0; ox < w.out; ++ox) {
      double sum = 0, squares = 0, most = -1e9, n = 0;
      for (int iy = std::max(oy * stride - w.before, 0);
           iy < std::min(oy * stride - w.before + kernel, in); ++iy)
        for (int ix = std::max(ox * stride - w.before, 0);
             ix < std::min(ox * stride - w.before + kernel, in); ++ix) {
          const double value = x[static_cast<std::size_t>(iy * in + ix)];
          sum += value, squares += value * value, most = std::max(most, value), ++n;
        }
      expected.push_back(GetParam() == Builtin::MAX_POOL_2D       ? most
                         : GetParam() == Builtin::AVERAGE_POOL_2D ? sum / n
                                                                  : std::sqrt(squares / n));
    }
  expect_near(computed(model, y), expected);
}

INSTANTIATE_TEST_SUITE_P(Functions, TflitePool,
                         ::testing::Values(Builtin::MAX_POOL_2D, Builtin::AVERAGE_POOL_2D,
                                           Builtin::L2_POOL_2D));

TEST(TfliteConvForms, FullyConnectedFlattensUnlessItKeepsItsAxes) {
  for (const bool keep : {false, true}) {
    TfliteBuilder model;
    const int x = model.constant<float>("x", {2, 1, 3}, {1, 2, 3, 4, 5, 6}),
              w = model.constant<float>("w", {2, 3}, {1, 0, 0, 1, 1, 1}),
              b = model.constant<float>("b", {2}, {0, -7}), y = model.tensor("y", {});
    model.op(Builtin::FULLY_CONNECTED, {x, w, b}, {y},
             tflite::CreateFullyConnected(model.tables(), tflite::Activation::relu, 0, keep));
    const ir::Value value = computed_value(model, y);
    EXPECT_EQ(value.shape, (keep ? Shape{2, 1, 2} : Shape{2, 2}));
    expect_near(ir::numbers(value), {1, 0, 4, 8});
  }
}

}  // namespace
}  // namespace skiff::test
