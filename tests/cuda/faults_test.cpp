#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gpu.h"
#include "tests/support/integer_graphs.h"
#include "tests/support/model_samples.h"
#include "tests/support/squeeze_graphs.h"

// Every call of CUDA, cuDNN and cuBLASLt fails once, while a session is made, run and destroyed. It
// may cost the session, as an error with a text, but never memory, an object or the process.
namespace skiff::test {
namespace {

constexpr int kInvalidValue = 1, kOutOfMemory = 2, kLaunchFailure = 719;

/// What a session with a failing call comes to.
struct Outcome {
  ErrorCode code = ErrorCode::ok;
  std::string text;
};

/// The same for another batch. A size that cannot be prepared changes nothing.
Status run_larger(Session& session) {
  std::vector<InputShape> shapes;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    if (session.model().input_symbol(i, 0) < 0) continue;
    shapes.push_back({input.name(), input.shape()});
    shapes.back().shape[0] = 3;
  }
  if (shapes.empty()) return {};  // only what it counts itself
  try {
    session.prepare(shapes);
  } catch (const Error& error) {
    EXPECT_FALSE(session.resize(shapes).ok()) << "a failed prepare() left something";
    throw;
  }
  const Status resized = session.resize(shapes);
  return resized.ok() ? session.run() : resized;
}

Outcome use(const std::vector<std::byte>& bytes, bool strict) {
  try {
    const Model model = Model::from_bytes(bytes);
    Session session(model, {.device = DeviceKind::cuda, .strict_gpu = strict});
    Status status = session.run();
    if (status.ok() && model.symbol_count() > 0) status = run_larger(session);
    return {status.code(), status.message()};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

long calls_of(const std::vector<std::byte>& bytes, bool strict) {
  const long before = cuda_double_calls();
  EXPECT_EQ(use(bytes, strict).code, ErrorCode::ok);
  return cuda_double_calls() - before;
}

class Faults : public ::testing::TestWithParam<ModelSample> {};

TEST_P(Faults, EachCallOnce) {
  const std::vector<std::byte> bytes = file_of(GetParam());
  const WithGpu gpu;
  const bool strict = use(bytes, true).code == ErrorCode::ok;  // nothing of it is the CPU's
  const long calls = calls_of(bytes, strict);
  ASSERT_GT(calls, 50);
  long refused = 0;
  for (const int code : {kInvalidValue, kOutOfMemory})
    for (long call = 1; call <= calls; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + " gives " + std::to_string(code));
      const WithGpu each;
      cuda_double_fail_at(nullptr, call, code);
      const Outcome outcome = use(bytes, strict);
      EXPECT_NE(outcome.text, "");
      EXPECT_NE(outcome.code, ErrorCode::internal) << outcome.text;
      refused += outcome.code != ErrorCode::ok ? 1 : 0;
    }
  // Only what gives back and what has an alternative may fail unnoticed.
  if (strict) {
    EXPECT_GT(refused, calls);
  }
}

/// In a process of its own: the context is lost for good.
int lose_context(const std::vector<std::byte>& bytes, const char* function, long call) {
  if (const pid_t child = fork(); child != 0) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const Outcome first = (cuda_double_fail_at(function, call, kLaunchFailure), use(bytes, true));
  cuda_double_fail_at(nullptr, 0, 0);
  const Outcome second = use(bytes, true);
  const bool said = first.code == ErrorCode::device && second.code == ErrorCode::device &&
                    second.text.find("restart the process") != std::string::npos;
  const bool quiet = std::string(cuda_double_complaints()).empty();
  const bool cpu_works = use(bytes, false).code == ErrorCode::ok;
  std::_Exit((said ? 0 : 1) + (quiet ? 0 : 2) + (cpu_works ? 0 : 4));
}

TEST(LostContext, IsLeftAlone) {
  const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  const WithGpu gpu;
  for (const char* function : {"cudaStreamSynchronize", "cudaGraphLaunch", "cudaMemcpyAsync"})
    EXPECT_EQ(lose_context(bytes, function, 1), 0) << function;
}

/// Products of integers, and a chain between them.
Graph integers() {
  return residual_block(8, {fb::DType::int8, 1.0f / 64, 3}, {fb::DType::uint8, 1.0f / 32});
}

/// Nodes that only a GPU's session makes: channels weighted by gates, and a chain.
Graph joined() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {1, 6, 5, 12});
  const ValueId y = binary(g, Binary::add, weighted(g, x, 3, 1), x);
  g.outputs = {unary(g, Unary::tanh, unary(g, Unary::exp, y))};
  return g;
}

INSTANTIATE_TEST_SUITE_P(Joined, Faults,
                         ::testing::Values(ModelSample{"joined", joined},
                                           ModelSample{"integers", integers}),
                         [](const auto& tested) { return std::string(tested.param.name); });
INSTANTIATE_TEST_SUITE_P(Samples, Faults, ::testing::ValuesIn(model_samples()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace skiff::test
