#include <dlfcn.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/ops/integer_conv_cudnn.h"
#include "tests/cuda/described_device.h"

// What the real cuDNN offers for convolutions of integers, asked without a GPU. It has no engine
// for them but those that it compiles at run time, of which it speaks where it finds a driver: a
// library of that name is enough.
namespace skiff::cuda {
namespace {

/// A layer between symmetric tensors.
IntegerConvPlan layer(std::int64_t cin, std::int64_t cout, std::int64_t kernel, DType to) {
  IntegerConvPlan plan;
  ConvGeometry& g = plan.geometry;
  g.spatial = 2, g.batch = 1, g.cin = cin, g.cout = cout;
  g.in = g.out = {1, 28, 28};
  g.kernel = {1, kernel, kernel};
  g.pad_begin = g.pad_end = {0, (kernel - 1) / 2, (kernel - 1) / 2};
  plan.from = DType::int8, plan.to = to;
  plan.scales.quantized = to != DType::float32;
  const float infinity = std::numeric_limits<float>::infinity();
  plan.rounding = {.bias_factor = 1, .low = -infinity, .high = infinity, .zero = 0};
  return plan;
}

class IntegerSurface : public ::testing::TestWithParam<DescribedDevice> {
 protected:
  void SetUp() override { ASSERT_NE(dlopen(SKIFF_CUDA_STUB, RTLD_NOW), nullptr) << dlerror(); }

  std::size_t engines(const IntegerConvPlan& plan) const {
    return integer_conv_engine_names(plan, DescribedTarget(GetParam()), 99).size();
  }
};

TEST_P(IntegerSurface, HasEnginesForEveryGraph) {
  for (const DType to : {DType::int8, DType::uint8, DType::float32})
    for (const std::int64_t kernel : {1, 3})
      for (const bool all : {false, true}) {
        IntegerConvPlan plan = layer(64, 32, kernel, to);
        if (all) {  // bias, bounds on both sides, a zero point
          plan.has_bias = plan.constant_bias = true;
          plan.activation.function = fb::UnaryFunction::clip;
          plan.rounding.low = 0, plan.rounding.high = 99, plan.rounding.zero = 1;
        }
        EXPECT_GT(engines(plan), 0u) << static_cast<int>(to) << ' ' << kernel << ' ' << all;
      }
}

TEST_P(IntegerSurface, HasEnginesForEveryForm) {
  IntegerConvPlan plan = layer(64, 32, 3, DType::int8);
  plan.geometry.stride = {1, 2, 2};
  plan.geometry.out = {1, 14, 14};
  EXPECT_GT(engines(plan), 0u) << "strides";
  plan = layer(64, 32, 3, DType::int8);
  plan.geometry.groups = 2;
  EXPECT_GT(engines(plan), 0u) << "groups";
  for (const std::int64_t channels : {4, 20, 256})
    EXPECT_GT(engines(layer(channels, channels, 3, DType::int8)), 0u) << channels << " channels";
  plan = layer(64, 64, 3, DType::int8);
  plan.geometry.groups = 64;
  EXPECT_EQ(engines(plan), 0u) << "a filter a channel";
}

INSTANTIATE_TEST_SUITE_P(Devices, IntegerSurface, ::testing::Values(kOrin, kA100, kH100),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace skiff::cuda
