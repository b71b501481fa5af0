#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <string>
#include <vector>

#include "converters/writer.h"
#include "gpu.h"
#include "runtime/core/half.h"
#include "runtime/tune/tuner.h"
#include "tests/support/command.h"

// float32 on tensor cores: only where it was asked for, seen in the steps, and never because
// another session asked for it.
namespace skiff::test {
namespace {

using Op = fb::OpKind;

constexpr float kKept = 1 + 0x1p-10f;  // TF32 has ten bits of fraction,
constexpr float kLost = 1 + 0x1p-12f;  // these are not among them

/// Every number of the given type, float32 or float16.
ir::ValueId add_ones(ir::Graph& graph, const char* name, DType dtype, const Shape& shape) {
  const std::vector<float> ones(static_cast<std::size_t>(shape.elements()), 1.0f);
  if (dtype == DType::float32) return graph.add_constant<float>(name, shape, ones);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < ones.size(); ++i) {
    const auto half = std::bit_cast<std::array<std::byte, 2>>(float_to_half(1.0f));
    bytes.insert(bytes.end(), half.begin(), half.end());
  }
  return graph.add_constant(name, dtype, shape, std::move(bytes));
}

/// Two convolutions, of which one is a product of its pixels, and a product; each of one term, so
/// that the operand comes out as it was rounded.
std::vector<std::byte> file_of(DType dtype) {
  ir::Graph g;
  g.name = "products";
  fb::ConvAttrsT conv;
  conv.strides = {2, 2};
  conv.dilations = {1, 1};
  conv.pads = {0, 0, 0, 0};
  conv.groups = 1;
  const ir::ValueId image = g.add_input("image", dtype, {1, 3, 3, 1});
  const ir::ValueId filter = add_ones(g, "filter", dtype, {2, 1, 1, 1});
  const ir::ValueId strided = g.add(Op::conv, conv, {image, filter}, "strided");
  conv.strides = {1, 1};
  const ir::ValueId dense = g.add(Op::conv, conv, {image, filter}, "dense");
  const ir::ValueId row = g.add_input("row", dtype, {4, 1});
  const ir::ValueId product =
      g.add(Op::matmul, fb::MatMulAttrsT(), {row, add_ones(g, "column", dtype, {1, 3})}, "product");
  g.outputs = {strided, dense, product};
  convert::Manifest manifest;
  manifest.name = g.name;
  return convert::write_model(g, manifest);
}

class Tf32 : public ::testing::Test {
 protected:
  Tf32() { tune::forget_tuning(); }
  ~Tf32() override { tune::forget_tuning(); }

  SessionOptions with(bool tf32, Tuning tuning = Tuning::off) const {
    return {.device = DeviceKind::cuda,
            .strict_gpu = true,
            .tuning = tuning,
            .plan_cache = path_.c_str(),
            .tf32 = tf32};
  }

  std::vector<std::byte> bytes_ = file_of(DType::float32);
  ScratchFolder folder_;
  std::string path_ = folder_ / "plans";
};

void expect_products(Session& session, float operand, float result) {
  for (std::size_t i = 0; i < session.input_count(); ++i)
    std::ranges::fill(session.input(i).values<float>(), operand);
  ASSERT_TRUE(session.run().ok()) << cuda_double_complaints();
  for (std::size_t i = 0; i < session.output_count(); ++i)
    for (const float value : session.output(i).values<const float>())
      ASSERT_EQ(value, result) << session.output(i).name();
}

long on_tensor_cores(const Session& session) {
  long count = 0;
  for (std::size_t i = 0; i < session.step_count(); ++i) count += session.step(i).tensor_cores;
  return count;
}

std::string algorithms(const Session& session) {
  std::string all;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    all += std::string(session.step(i).algorithm) + ";";
  return all;
}

TEST_F(Tf32, DefaultIsExact) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(bytes_);
  Session session(model, with(false));
  expect_products(session, kLost, kLost);
  EXPECT_EQ(on_tensor_cores(session), 0) << algorithms(session);
}

TEST_F(Tf32, RoundsOperandsWhereItWasAskedFor) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(bytes_);
  Session session(model, with(true));
  expect_products(session, kLost, 1);
  expect_products(session, kKept, kKept);
  EXPECT_EQ(on_tensor_cores(session), 3) << algorithms(session);
  EXPECT_EQ(Session::predict(model, with(true)).total, session.memory().total);
}

/// What tuning finds for one is nothing to the other, in this process and from the file.
TEST_F(Tf32, PlansAreKeptApart) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(bytes_);
  cuda_double_set_cost("cudnn 3", 0.25);
  cuda_double_set_cost("cublaslt 4096", 0.5);
  for (const bool first : {true, false}) {
    SCOPED_TRACE(first);
    tune::forget_tuning();
    std::remove(path_.c_str());
    { const Session tuned(model, with(first, Tuning::fast)); }
    for (int process = 0; process < 2; ++process) {
      Session exact(model, with(false));
      expect_products(exact, kLost, kLost);
      Session rounded(model, with(true, Tuning::fast));
      expect_products(rounded, kLost, 1);
      EXPECT_NE(algorithms(rounded).find("cuDNN 3"), std::string::npos) << algorithms(rounded);
      tune::forget_tuning();
    }
  }
}

/// The two have algorithms of the same names, and times of their own.
TEST_F(Tf32, ProductsAreTimedApart) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(bytes_);
  cuda_double_set_cost("cublaslt 4096", 0.25);
  { const Session exact(model, with(false, Tuning::fast)); }
  cuda_double_set_cost("cublaslt 4096", 8);
  const Session rounded(model, with(true, Tuning::fast));
  for (std::size_t i = 0; i < rounded.step_count(); ++i) {
    const StepInfo step = rounded.step(i);
    if (step.name != "product") continue;
    EXPECT_FALSE(step.tensor_cores) << "the algorithm that was the fastest for the other";
  }
}

/// A plan cache cannot allow what the session does not.
TEST_F(Tf32, NoPlanBringsItIn) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(bytes_);
  { const Session tuned(model, with(false, Tuning::fast)); }
  const std::string kept = read_text(path_);
  tune::PlanCache forged;
  for (std::size_t at = kept.find('\n', kept.find('\n') + 1) + 1; at < kept.size();
       at = kept.find('\n', at) + 1)
    forged.put(kept.substr(at, 64), "cudnn.none.3");
  ASSERT_GT(forged.size(), 0u);
  std::string why;
  ASSERT_TRUE(forged.save(path_, why)) << why;
  tune::forget_tuning();
  Session session(model, with(false));
  expect_products(session, kLost, kLost);
}

/// 16-bit floats need no leave: nothing is rounded that was not.
TEST_F(Tf32, NarrowProductsAreOnTensorCoresAnyway) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(DType::float16);
  const Model model = Model::from_bytes(bytes);
  const Session session(model, with(false));
  EXPECT_EQ(on_tensor_cores(session), 3) << algorithms(session);
}

TEST_F(Tf32, ChangesNothingOnTheCpu) {
  const Model model = Model::from_bytes(bytes_);
  Session session(model, {.device = DeviceKind::cpu, .tf32 = true});
  expect_products(session, kLost, kLost);
}

}  // namespace
}  // namespace skiff::test
