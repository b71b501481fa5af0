#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "runtime/core/error.h"
#include "runtime/cuda/jit/nvrtc.h"
#include "runtime/ops/pointwise_chain_cuda.h"

// What the module compiles while loading, given to the real NVRTC, which needs no GPU for it.
namespace skiff::cuda {
namespace {

using Chain = PointwiseChain;

/// Over `shape` with a first operand of that shape and a second one of its last axis.
ChainPlan plan_of(const Chain& chain, DType dtype, const Shape& shape) {
  std::array<Shape, Chain::kMaxInputs> shapes;
  shapes[0] = shape;
  shapes[1] = Shape{shape[shape.rank() - 1]};
  ChainPlan plan{chain,        dtype, {shapes, shape}, static_cast<unsigned>(shape.elements()), {},
                 chain.inputs, dtype};
  std::fill_n(plan.stored, chain.inputs, dtype);
  return plan;
}

Chain unary_chain(int function) {
  Chain chain{};
  chain.inputs = chain.count = 1;
  const float infinity = std::numeric_limits<float>::infinity();
  chain.steps[0] = {0, function, 0, -infinity, std::nanf(""), 0, 0};
  return chain;
}

Chain binary_chain(int function, int activation) {
  Chain chain{};
  chain.inputs = 2;
  chain.count = 1;
  chain.steps[0] = {1, function, activation, 0.1f, 0.2f, 0, 1};
  return chain;
}

/// The sum of bytes and a row of floats, as bytes; each with a scale and a zero point.
ChainPlan integer_plan(DType bytes, const Shape& shape) {
  Chain chain = binary_chain(0, 1);
  chain.stored[0] = {2, 3};
  chain.result = {4, 5};
  chain.result_dtype = bytes;
  ChainPlan plan = plan_of(chain, DType::float32, shape);
  for (const int of_bytes : {0, 3, 5}) plan.stored[of_bytes] = bytes;
  for (const int scale : {2, 4}) plan.stored[scale] = DType::float32;
  plan.inputs = 6;
  plan.result = bytes;
  return plan;
}

class Architecture : public ::testing::TestWithParam<const char*> {};

/// Every function of a chain, in every type, alone and in packs.
TEST_P(Architecture, CompilesEveryChain) {
  ASSERT_NE(jit::Nvrtc::find(), nullptr);
  const auto compile_plan = [](const ChainPlan& plan) {
    const std::string source = chain_source(plan);
    EXPECT_EQ(source.find("chain_by_4") != std::string::npos, chain_takes_packs(plan));
    EXPECT_GT(jit::Nvrtc::find()->compile(source, GetParam()).size(), 1000u) << source;
  };
  const auto compile = [&](const Chain& chain, DType dtype, const Shape& shape) {
    compile_plan(plan_of(chain, dtype, shape));
  };
  for (int f = 1; f <= static_cast<int>(fb::UnaryFunction::cos); ++f)
    compile(unary_chain(f), DType::float32, {3, 4});
  for (int f = 0; f < static_cast<int>(fb::BinaryFunction::equal); ++f)
    compile(binary_chain(f, f), DType::float32, {3, 5});
  for (const DType dtype : {DType::float16, DType::bfloat16})
    for (const Shape& shape : {Shape{3, 5}, Shape{3, 4}}) compile(binary_chain(1, 1), dtype, shape);
  for (const DType dtype : {DType::int8, DType::uint8})
    for (const Shape& shape : {Shape{3, 5}, Shape{3, 4}}) compile_plan(integer_plan(dtype, shape));
}

INSTANTIATE_TEST_SUITE_P(Gpus, Architecture, ::testing::Values("sm_80", "sm_87", "sm_90", "sm_110"),
                         [](const auto& gpu) { return std::string(gpu.param); });

TEST(Nvrtc, SaysWhatItRefuses) {
  ASSERT_NE(jit::Nvrtc::find(), nullptr);
  try {
    static_cast<void>(jit::Nvrtc::find()->compile("nonsense", "sm_87"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("nonsense"), std::string::npos) << error.what();
  }
  EXPECT_THROW(static_cast<void>(jit::Nvrtc::find()->compile("", "sm_1")), Error);
}

}  // namespace
}  // namespace skiff::cuda
