#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <skiff/skiff_c.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gpu.h"
#include "tests/support/model_samples.h"

// The caller's stream and memory, and several sessions on one model.
namespace skiff::test {
namespace {

/// A model looks into these bytes as long as it lives.
const std::vector<std::byte>& picture() {
  static const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  return bytes;
}

void fill(Session& session, float scale) {
  const std::span<float> values = session.input(0).values<float>();
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = scale * (static_cast<float>((k * 37) % 23) / 11 - 1);
}

std::vector<float> outputs_of(Session& session) {
  EXPECT_TRUE(session.run().ok()) << cuda_double_complaints();
  const auto values = session.output(0).values<const float>();
  return {values.begin(), values.end()};
}

/// Work on a stream that writes a session's input, as a camera's pipeline would.
struct Producer {
  std::span<float> to;
  float value;
  bool done = false;
  static void run(void* context) {
    auto& self = *static_cast<Producer*>(context);
    std::ranges::fill(self.to, self.value);
    self.done = true;
  }
};

TEST(Streams, RunComesBehindTheCallersWork) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(picture());
  cudaStream_t mine = nullptr, other = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&mine, 0), cudaSuccess);
  ASSERT_EQ(cudaStreamCreateWithFlags(&other, 0), cudaSuccess);
  {
    Session plain(model, {.device = DeviceKind::cuda, .strict_gpu = true});
    std::ranges::fill(plain.input(0).values<float>(), 0.25f);
    const std::vector<float> right = outputs_of(plain);

    Session session(model, {.device = DeviceKind::cuda, .strict_gpu = true, .stream = mine});
    Producer before{session.input(0).values<float>(), 0.25f};
    Producer elsewhere{session.input(0).values<float>(), 7.0f};
    cuda_double_submit(mine, Producer::run, &before, [](void*) {});
    cuda_double_submit(other, Producer::run, &elsewhere, [](void*) {});
    const long waits = cuda_double_waits();
    EXPECT_EQ(outputs_of(session), right);
    EXPECT_EQ(cuda_double_waits() - waits, 1);
    EXPECT_TRUE(before.done);
    EXPECT_FALSE(elsewhere.done) << "another stream is nobody's business";
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);

    // Whoever watches steps sees the same.
    before.done = false;
    cuda_double_submit(mine, Producer::run, &before, [](void*) {});
    EXPECT_TRUE(session.run([](void*, std::size_t) {}, nullptr).ok());
    EXPECT_TRUE(before.done);
    const auto values = session.output(0).values<const float>();
    EXPECT_TRUE(std::ranges::equal(values, right));
  }
  ASSERT_EQ(cudaStreamDestroy(mine), cudaSuccess) << "the session left it alone";
  ASSERT_EQ(cudaStreamDestroy(other), cudaSuccess);
}

TEST(Sessions, ShareTheWeights) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(picture());
  const SessionOptions options{.device = DeviceKind::cuda, .strict_gpu = true};
  Session first(model, options);
  const std::size_t one = cuda_double_live_bytes();
  Session second(model, options);
  const MemoryReport& memory = second.memory();
  EXPECT_EQ(cuda_double_live_bytes() - one, memory.arena + memory.io);
  fill(first, 1);
  fill(second, 0.5f);
  const std::vector<float> a = outputs_of(first), b = outputs_of(second);
  EXPECT_NE(a, b);
  std::vector<std::thread> threads;
  for (Session* session : {&first, &second})
    threads.emplace_back([&, session] {
      for (int i = 0; i < 5; ++i) EXPECT_EQ(outputs_of(*session), session == &first ? a : b);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(Memory, MayBeTheCallers) {
  const WithGpu gpu;
  const Model model = Model::from_bytes(picture());
  SessionOptions options{.device = DeviceKind::cuda, .strict_gpu = true};
  const MemoryReport plain = Session::predict(model, options);
  ASSERT_GT(plain.device_arena, 0u);
  void* mine = nullptr;
  ASSERT_EQ(cudaMalloc(&mine, plain.device_arena), cudaSuccess);
  {
    Session usual(model, options);
    fill(usual, 1);
    options.device_arena = {static_cast<std::byte*>(mine), plain.device_arena};
    const std::size_t before = cuda_double_live_bytes();
    Session session(model, options);
    EXPECT_EQ(cuda_double_live_bytes() - before,
              session.memory().io + session.memory().arena - plain.device_arena);
    EXPECT_EQ(session.memory().total, plain.total - plain.device_arena);
    fill(session, 1);
    EXPECT_EQ(outputs_of(session), outputs_of(usual));
    options.device_arena = options.device_arena.first(plain.device_arena - 1);
    EXPECT_THROW(Session(model, options), Error);
  }
  ASSERT_EQ(cudaFree(mine), cudaSuccess);
}

TEST(StreamAndMemory, InC) {
  const WithGpu gpu;
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 0), cudaSuccess);
  skiff_session_options options{};
  options.size = sizeof(options);
  options.device = SKIFF_DEVICE_CUDA;
  options.strict_gpu = 1;
  options.stream = stream;
  skiff_model* model = nullptr;
  skiff_session* session = nullptr;
  ASSERT_EQ(skiff_model_from_bytes(picture().data(), picture().size(), &model), 0);
  skiff_memory_report plain{}, given{};
  plain.size = given.size = sizeof(plain);
  ASSERT_EQ(skiff_session_predict(model, &options, &plain), 0) << skiff_last_error();
  options.device_arena_bytes = plain.device_arena;
  ASSERT_EQ(cudaMalloc(&options.device_arena, plain.device_arena), cudaSuccess);
  ASSERT_EQ(skiff_session_create(model, &options, &session), 0) << skiff_last_error();
  ASSERT_EQ(skiff_session_memory(session, &given), 0);
  EXPECT_EQ(given.total, plain.total - plain.device_arena);

  skiff_session_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(skiff_session_describe(session, &info), 0);
  EXPECT_EQ(info.device, SKIFF_DEVICE_CUDA);
  skiff_step step{};
  step.size = sizeof(step);
  ASSERT_EQ(skiff_session_step(session, 0, &step), 0);
  EXPECT_EQ(step.device, SKIFF_DEVICE_CUDA);
  skiff_tensor input{};
  ASSERT_EQ(skiff_session_input(session, 0, &input), 0);
  Producer before{{static_cast<float*>(input.data), input.bytes / sizeof(float)}, 0.25f};
  cuda_double_submit(stream, Producer::run, &before, [](void*) {});
  ASSERT_EQ(skiff_session_run(session), 0) << skiff_last_error();
  EXPECT_TRUE(before.done) << "run() comes behind the caller's work";
  skiff_session_free(session);
  --options.device_arena_bytes;
  EXPECT_EQ(skiff_session_create(model, &options, &session), SKIFF_ERROR_INVALID_ARGUMENT);
  skiff_model_free(model);
  ASSERT_EQ(cudaFree(options.device_arena), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

}  // namespace
}  // namespace skiff::test
