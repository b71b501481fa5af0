#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "converters/dynamic/dynamic.h"
#include "converters/writer.h"
#include "gpu.h"
#include "tests/support/model_samples.h"

// Sizes that stay open, on a GPU: what is prepared, what is refused, what costs memory.
namespace skiff::test {
namespace {

const std::vector<std::byte>& sizes_file() {
  static const std::vector<std::byte> bytes = [] {
    return file_of(*std::ranges::find(model_samples(), std::string("sizes"), &ModelSample::name));
  }();
  return bytes;
}

struct Sizes {
  std::int64_t batch, length;
  std::vector<InputShape> shapes() const {
    return {{"x", {batch, length, 4}}, {"memory", {batch, 3}}};
  }
};
constexpr Sizes kUsual{1, 6}, kLargest{4, 12}, kSmall{2, 2}, kOdd{3, 5};

void fill(Session& session) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const std::span<float> values = session.input(i).values<float>();
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = static_cast<float>((k * 37 + i * 11) % 19) / 7 - 1;
  }
}

std::vector<float> outputs_of(Session& session) {
  fill(session);
  EXPECT_TRUE(session.run().ok()) << cuda_double_complaints();
  std::vector<float> all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto values = session.output(i).values<const float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// What the CPU computes at those sizes.
std::vector<float> expected_at(const Model& model, const std::vector<InputShape>& shapes) {
  Session session(model, {.device = DeviceKind::cpu});
  EXPECT_TRUE(session.resize(shapes).ok());
  return outputs_of(session);
}

void expect_right(Session& session, const std::vector<InputShape>& shapes) {
  const std::vector<float> right = expected_at(session.model(), shapes), here = outputs_of(session);
  ASSERT_EQ(here.size(), right.size());
  for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(here[i], right[i], 1e-5) << i;
}

void expect_right(Session& session, const Sizes& sizes) {
  SCOPED_TRACE(std::to_string(sizes.batch) + " x " + std::to_string(sizes.length));
  expect_right(session, sizes.shapes());
}

TEST(Shapes, TheUsualOnesAreReady) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  expect_right(session, kUsual);
  EXPECT_TRUE(session.resize(kUsual.shapes()).ok());
}

TEST(Shapes, OthersArePreparedFirst) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  const Status refused = session.resize(kOdd.shapes());
  EXPECT_EQ(refused.code(), ErrorCode::invalid_argument);
  EXPECT_NE(std::string(refused.message()).find("Session::prepare()"), std::string::npos);
  expect_right(session, kUsual);

  const MemoryReport before = session.memory();
  for (const Sizes& sizes : {kOdd, kLargest, kSmall}) session.prepare(sizes.shapes());
  EXPECT_EQ(session.input(0).shape(), (Shape{1, 6, 4})) << "prepare() is no resize()";
  expect_right(session, kUsual);
  EXPECT_EQ(session.memory().arena, before.arena);
  EXPECT_GT(session.memory().other, before.other);
  EXPECT_EQ(session.memory().total - before.total, session.memory().other - before.other);

  const long allocations = cuda_double_allocations(), objects = cuda_double_objects();
  for (const Sizes& sizes : {kSmall, kOdd, kUsual, kLargest, kOdd, kSmall, kUsual}) {
    ASSERT_TRUE(session.resize(sizes.shapes()).ok());
    const long launches = cuda_double_graph_launches();
    expect_right(session, sizes);
    EXPECT_EQ(cuda_double_graph_launches() - launches, 1);
  }
  EXPECT_EQ(cuda_double_allocations(), allocations);
  EXPECT_EQ(cuda_double_objects(), objects);
}

/// Pictures that are enlarged: the kernel has tables of its own, other ones for other sizes.
std::vector<std::byte> pictures_file() {
  const auto enlarge = [](const dynamic::Sizes& sizes) {
    const Shape& x = sizes.shapes.at("x");
    ir::Graph graph;
    fb::ResizeAttrsT attrs;
    attrs.mode = fb::ResizeMode::linear;
    attrs.sizes = {1, 2 * x[1], 2 * x[2], 3};
    graph.outputs = {graph.add(fb::OpKind::resize, attrs, {graph.add_input("x", DType::float32, x)},
                               "enlarged")};
    return graph;
  };
  return convert::write_model(
      dynamic::generalise({{"x", {{1, {}}, {-1, "height"}, {-1, "width"}, {3, {}}}}}, {},
                          {{"height", 2, 4, 9, 1}, {"width", 2, 4, 9, 1}}, enlarge,
                          [](const ir::Graph&) {}),
      {});
}

TEST(Shapes, TablesOfAKernelGoWithTheSizes) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = pictures_file();
  Session session(Model::from_bytes(bytes), {.device = DeviceKind::cuda, .strict_gpu = true});
  const std::vector<InputShape> usual = {{"x", {1, 4, 4, 3}}}, tall = {{"x", {1, 9, 2, 3}}},
                                wide = {{"x", {1, 3, 8, 3}}};
  session.prepare(tall);
  session.prepare(wide);
  for (const auto& shapes : {tall, usual, wide, tall, usual}) {
    ASSERT_TRUE(session.resize(shapes).ok());
    expect_right(session, shapes);
  }
}

TEST(Shapes, PreparedTwiceCostsOnce) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  session.prepare(kUsual.shapes());
  session.prepare(kOdd.shapes());
  const std::uint64_t total = session.memory().total;
  const long allocations = cuda_double_allocations(), objects = cuda_double_objects();
  session.prepare(kOdd.shapes());
  ASSERT_TRUE(session.resize(kOdd.shapes()).ok());
  session.prepare(kUsual.shapes());
  session.prepare(kOdd.shapes());
  EXPECT_EQ(session.memory().total, total);
  EXPECT_EQ(cuda_double_allocations(), allocations);
  EXPECT_EQ(cuda_double_objects(), objects);
}

TEST(Shapes, StatesStayWhenOthersArePrepared) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  fill(session);
  const std::span<const float> memory = session.input("memory").values<const float>();
  const std::vector<float> before(memory.begin(), memory.end());
  session.prepare(kLargest.shapes());
  EXPECT_TRUE(std::ranges::equal(memory, before));
}

void expect_refused(Session& session, const std::vector<InputShape>& shapes, ErrorCode code) {
  const MemoryReport before = session.memory();
  const long live = cuda_double_live(), objects = cuda_double_objects();
  try {
    session.prepare(shapes);
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
  EXPECT_EQ(session.memory().total, before.total);
  EXPECT_EQ(cuda_double_live(), live);
  EXPECT_EQ(cuda_double_objects(), objects);
  expect_right(session, kUsual);
}

TEST(Shapes, WhatCannotBePreparedChangesNothing) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true});
  expect_refused(session, Sizes{5, 6}.shapes(), ErrorCode::invalid_argument);
  expect_refused(session, {{"nobody", {1}}}, ErrorCode::not_found);
  for (const char* function : {"cudaGraphInstantiate", "cudaStreamBeginCapture", "cudaLaunchKernel",
                               "cublasLtMatmulAlgoGetHeuristic"}) {
    SCOPED_TRACE(function);
    cuda_double_fail_at(function, 1, 2);
    expect_refused(session, kOdd.shapes(),
                   function[3] == 'l' ? ErrorCode::device : ErrorCode::out_of_memory);
    cuda_double_fail_at(nullptr, 0, 0);
  }
}

TEST(Shapes, KeepToTheBudget) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(sizes_file());
  SessionOptions options{.device = DeviceKind::cuda, .strict_gpu = true};
  options.memory_limit = Session::predict(model, options).total;
  Session session(model, options);
  expect_refused(session, kOdd.shapes(), ErrorCode::budget_exceeded);
}

TEST(Shapes, InC) {
  const WithGpu gpu;
  skiff_model* model = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(sizes_file().data(), sizes_file().size(), &model), 0);
  skiff_session_options options{};
  options.size = sizeof(options);
  options.device = 2;
  options.strict_gpu = 1;
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_session_create(model, &options, &session), 0) << skiff_last_error();
  const skiff_input_shape shapes[] = {{0, 3, {3, 5, 4}}, {1, 2, {3, 3}}};
  EXPECT_NE(skiff_session_resize_all(session, shapes, 2), 0);
  EXPECT_NE(std::string(skiff_last_error()).find("prepare"), std::string::npos);
  ASSERT_EQ(skiff_session_prepare(session, shapes, 2), 0) << skiff_last_error();
  ASSERT_EQ(skiff_session_resize_all(session, shapes, 2), 0) << skiff_last_error();
  ASSERT_EQ(skiff_session_run(session), 0) << skiff_last_error();
  skiff_tensor tensor{};
  ASSERT_EQ(skiff_session_input(session, 0, &tensor), 0);
  EXPECT_EQ(tensor.shape[1], 5);
  const skiff_input_shape wrong{0, 9, {}};
  EXPECT_NE(skiff_session_prepare(session, &wrong, 1), 0);
  skiff_session_free(session);
  skiff_model_free(model);
}

}  // namespace
}  // namespace skiff::test
