#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "converters/convert.h"
#include "runtime/session/budget.h"
#include "tests/runtime/networks.h"
#include "tests/support/memory_promise.h"
#include "tests/support/shared_data.h"
#include "tests/support/thorough.h"

// The memory contract: what predict() says is what a load takes, to the byte; run() takes nothing.
namespace skiff::test {
namespace {

class Memory : public NetworkTest {};

void expect_as_predicted(const std::vector<std::byte>& file, int threads) {
  const Session session = session_as_predicted(file, {.threads = threads});
  const MemoryReport& used = session.memory();
  EXPECT_GE(used.arena, used.arena_lower_bound);
  EXPECT_TRUE(used.arena == used.arena_lower_bound || used.arena_proved_minimal)
      << "arena " << used.arena << ", lower bound " << used.arena_lower_bound;
}

TEST_P(Memory, PredictedIsUsed) {
  for (int threads : {1, 2}) expect_as_predicted(*bytes_, threads);
}

TEST_P(Memory, RunTakesNothingAndRepeatsItsBits) {
  const Model model = Model::from_bytes(*bytes_);
  for (int threads : {1, 2}) {
    Session session(model, {.threads = threads});
    ASSERT_TRUE(session.run().ok());
    std::vector<std::byte> first;
    for (std::size_t i = 0; i < session.output_count(); ++i)
      first.insert(first.end(), session.output(i).bytes().begin(), session.output(i).bytes().end());
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(session.run().ok());
    const std::chrono::duration<double> once = std::chrono::steady_clock::now() - begin;
    const bool many = thorough() && once.count() < 0.010;
    const void* const end_of_heap = ::sbrk(0);
    const void* end_after = nullptr;
    bool good = true;
    expect_no_allocation([&] {
      for (int i = 0; i < (many ? 1000 : 20); ++i) good = session.run().ok() && good;
      session.reset();
      good = session.run().ok() && good;
      end_after = ::sbrk(0);
    });
    EXPECT_TRUE(good);
    EXPECT_EQ(end_after, end_of_heap);
    std::vector<std::byte> last;
    for (std::size_t i = 0; i < session.output_count(); ++i)
      last.insert(last.end(), session.output(i).bytes().begin(), session.output(i).bytes().end());
    EXPECT_TRUE(first == last);
  }
}

TEST_P(Memory, LimitIsKept) {
  const Model model = Model::from_bytes(*bytes_);
  const std::uint64_t least = budget_curve(model, {}).back().total;
  EXPECT_NO_THROW(Session(model, {.memory_limit = least}));
  try {
    const Session session(model, {.memory_limit = least - 1});
    EXPECT_LT(session.memory().total, least) << "more than the limit was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::budget_exceeded);
  }
  try {
    const Session session(model, {.memory_limit = least / 2});
    FAIL() << "half of the least is accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::budget_exceeded);
  }
}

/// Largest distance of an element, over the largest magnitude.
double distance(const Session& a, const Session& b) {
  double worst = 0, largest = 1e-30;
  for (std::size_t i = 0; i < a.output_count(); ++i) {
    if (a.output(i).desc().dtype != DType::float32) continue;
    const auto left = a.output(i).values<float>(), right = b.output(i).values<float>();
    for (std::size_t k = 0; k < left.size(); ++k) {
      worst = std::max(worst, std::abs(static_cast<double>(left[k]) - right[k]));
      largest = std::max(largest, std::abs(static_cast<double>(left[k])));
    }
  }
  return worst / largest;
}

// Less memory is bought with time, never with another result or another bill than predicted.
TEST_P(Memory, BudgetsAreKeptToTheByte) {
  const Model model = Model::from_bytes(*bytes_);
  Session fastest(model, {.threads = 2});
  ASSERT_TRUE(fastest.run().ok());
  std::uint64_t before = UINT64_MAX;
  for (const BudgetPoint& point : budget_curve(model, {.threads = 2})) {
    EXPECT_LT(point.total, before);
    before = point.total;
    const SessionOptions options{.threads = 2, .memory_limit = point.total};
    Session session = session_as_predicted(*bytes_, options);
    EXPECT_LE(session.memory().total, point.total);
    ASSERT_TRUE(session.run().ok());
    EXPECT_LT(distance(fastest, session), 1e-4) << "limit " << point.total;
  }
}

TEST(LightNetworks, PredictedIsUsed) {
  if (light_networks().empty()) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
  for (const auto& file : light_networks()) {
    if (!thorough() && file.stem() != "light_squeezenet") continue;  // VGG-19 has 550 MB of weights
    SCOPED_TRACE(file.filename());
    expect_as_predicted(convert::convert_file(file.string(), {}), 1);
  }
}

/// skiff-convert --fit: a file's own budget chooses the kernels as a session's limit would, and
/// gives way to one.
TEST(StoredBudget, ActsAsASessionsLimit) {
  const auto file = shared_data() / "conformance/onnx-1.22.0/light/light_resnet50.onnx";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << " (set SKIFF_DATA)";
  const auto plain = convert::convert_file(file.string(), {});
  const Model free = Model::from_bytes(plain);
  const auto curve = budget_curve(free, {});
  ASSERT_GT(curve.size(), 2u);
  const std::uint64_t budget = curve[curve.size() / 2].total + 64;  // the file grows by the field
  convert::ConvertOptions options;
  options.memory_budget = budget;
  convert::Report report;
  const auto bytes = convert::convert_file(file.string(), options, &report);
  const Model model = Model::from_bytes(bytes);
  const std::uint64_t total = Session::predict(model).total;
  EXPECT_EQ(report.session_bytes, total);
  EXPECT_LE(total, budget);
  EXPECT_EQ(total, Session::predict(model, {.memory_limit = budget}).total);
  EXPECT_GT(Session::predict(model, {.memory_limit = UINT64_MAX}).total, budget);
  options.memory_budget = curve.back().total / 2;
  try {
    convert::convert_file(file.string(), options);
    FAIL() << "half of the least is accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::budget_exceeded);
    EXPECT_NE(std::string(error.what()).find("--fit"), std::string::npos) << error.what();
  }
}

/// The network with the weights replaced by constants: the plan is that of the real one.
TEST(MemoryBars, ResNet50) {
  const auto file = shared_data() / "conformance/onnx-1.22.0/light/light_resnet50.onnx";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << " (set SKIFF_DATA)";
  const auto bytes = convert::convert_file(file.string(), {});
  const MemoryReport report = Session::predict(Model::from_bytes(bytes));
  EXPECT_LE(report.arena, 6.9 * 1024 * 1024);
  EXPECT_EQ(report.arena, report.arena_lower_bound);
}

INSTANTIATE_TEST_SUITE_P(Networks, Memory, ::testing::ValuesIn(networks()),
                         [](const auto& tested) { return test_label(tested.param.label()); });

INSTANTIATE_TEST_SUITE_P(Float16, Memory, ::testing::ValuesIn(networks_as(DType::float16)),
                         [](const auto& tested) { return test_label(tested.param.label()); });

}  // namespace
}  // namespace skiff::test
