#include "runtime/plan/solve.h"

#include <gtest/gtest.h>
#include <skiff/error.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "runtime/plan/judge.h"
#include "tests/plan/random.h"

namespace skiff::plan {
namespace {

auto& memory() { return *std::pmr::get_default_resource(); }

bool overlap(const Buffer& a, const Buffer& b) { return a.first < b.end && b.first < a.end; }

/// The least height by brute force: every order of dropping the buffers onto what lies there.
class BruteForce {
 public:
  explicit BruteForce(const std::vector<Buffer>& buffers)
      : buffers_(buffers), offsets_(buffers.size(), -1) {}

  std::int64_t height() {
    drop(0, 0);
    return best_;
  }

 private:
  void drop(std::size_t placed, std::int64_t height) {
    if (height >= best_) return;
    if (placed == buffers_.size()) best_ = height;
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      if (offsets_[i] >= 0) continue;
      std::int64_t offset = 0;
      for (std::size_t j = 0; j < buffers_.size(); ++j) {
        if (offsets_[j] < 0 || !overlap(buffers_[i], buffers_[j])) continue;
        offset = std::max(offset, offsets_[j] + buffers_[j].size);
      }
      offsets_[i] = offset;
      drop(placed + 1, std::max(height, offset + buffers_[i].size));
      offsets_[i] = -1;
    }
  }

  const std::vector<Buffer>& buffers_;
  std::vector<std::int64_t> offsets_;
  std::int64_t best_ = std::numeric_limits<std::int64_t>::max();
};

std::vector<Buffer> random_buffers(Random& random, std::int32_t most, std::int32_t steps,
                                   std::int32_t size) {
  std::vector<Buffer> buffers(static_cast<std::size_t>(1 + random.below(most)));
  for (Buffer& buffer : buffers) {
    buffer.first = random.below(steps);
    buffer.end = buffer.first + 1 + random.below(steps - buffer.first);
    buffer.size = 1 + random.below(size);
  }
  return buffers;
}

/// At most four units live in any step, yet no packing is below five.
std::vector<Buffer> with_a_gap() {
  return {{5, 6, 2}, {2, 5, 1}, {1, 4, 1}, {3, 5, 1}, {0, 3, 2}, {4, 6, 2}, {0, 1, 2}, {1, 2, 1}};
}

TEST(Solve, IsAsLowAsBruteForceOnTinyProblems) {
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    Random random(seed);
    const auto buffers = random_buffers(random, 7, 2 + random.below(6), seed % 2 != 0 ? 4 : 9);
    const Problem problem{buffers, 1, 0};
    const Solution solution = solve(problem, {100'000}, memory());
    const std::int64_t best = BruteForce(buffers).height();
    ASSERT_EQ(solution.height, best) << "seed " << seed;
    ASSERT_NE(solution.certificate, Certificate::unproved) << "seed " << seed;
    ASSERT_TRUE(valid(problem, solution.offsets, solution.height, memory())) << "seed " << seed;
    if (best == 1) continue;
    const Solution below = solve_at(problem, best - 1, {100'000}, memory());
    ASSERT_FALSE(below.fits);
    ASSERT_TRUE(below.infeasible) << "seed " << seed;
  }
}

TEST(Solve, ProvesThatTheLowerBoundIsOutOfReach) {
  const auto buffers = with_a_gap();
  const Problem problem{buffers, 1, 0};
  const Solution solution = solve(problem, {100'000}, memory());
  EXPECT_EQ(BruteForce(buffers).height(), 5);
  EXPECT_EQ(solution.height, 5);
  EXPECT_EQ(solution.lower_bound, 4);
  EXPECT_EQ(solution.certificate, Certificate::proved_minimal);
  EXPECT_EQ(solve(problem, {0}, memory()).certificate, Certificate::unproved);
}

TEST(Solve, RoundsToTheAlignment) {
  const std::vector<Buffer> buffers = {{0, 2, 1}, {0, 2, 257}, {1, 3, 0}, {2, 3, 1000}};
  const Solution solution = solve({buffers, 256, 0}, {}, memory());
  EXPECT_EQ(solution.lower_bound, 1024);
  EXPECT_EQ(solution.height, 1024);
  EXPECT_TRUE(valid({buffers, 256, 0}, solution.offsets, 1024, memory()));
  EXPECT_EQ(solution.certificate, Certificate::equals_lower_bound);
}

TEST(Solve, NothingToPlanIsZeroHigh) {
  EXPECT_EQ(solve({{}, 256, 0}, {}, memory()).height, 0);
  const std::vector<Buffer> empty = {{0, 1, 0}};
  EXPECT_EQ(solve({empty, 256, 0}, {}, memory()).height, 0);
}

TEST(Solve, GivesTheSameEveryTime) {
  Random random(7);
  const auto buffers = random_buffers(random, 200, 60, 1000);
  const Solution one = solve({buffers, 1, 0}, {20'000}, memory());
  const Solution two = solve({buffers, 1, 0}, {20'000}, memory());
  EXPECT_EQ(one.offsets, two.offsets);
  EXPECT_EQ(one.nodes, two.nodes);
}

TEST(Solve, ManyMiddleSizedProblemsAreValid) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const auto buffers = random_buffers(random, 120, 50, 300);
    const Problem problem{buffers, 16, 0};
    const Solution solution = solve(problem, {2'000}, memory());
    ASSERT_TRUE(valid(problem, solution.offsets, solution.height, memory())) << "seed " << seed;
    ASSERT_GE(solution.height, solution.lower_bound);
    const bool tight = solution.height == solution.lower_bound;
    ASSERT_EQ(tight, solution.certificate == Certificate::equals_lower_bound);
  }
}

ErrorCode refusal(const std::vector<Buffer>& buffers, std::int64_t alignment) {
  try {
    (void)solve({buffers, alignment, 0}, {}, memory());
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::ok;
}

TEST(Solve, RefusesWhatMakesNoSense) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(refusal({{0, 1, -1}}, 1), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{0, 0, 1}}, 1), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{-5, 1, 1}}, 1), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{0, 1, 1}}, 0), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{0, 1, 1}}, kMost), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{0, 1, kMost}}, 256), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{0, 1, kMost / 32}, {0, 1, 1}}, 1), ErrorCode::unsupported);
  EXPECT_EQ(refusal({{0, 1, kMost / 16}, {0, 1, kMost / 16}, {0, 1, kMost / 16}}, 1),
            ErrorCode::invalid_argument);
}

TEST(Solve, TakesTheResultFromItsResourceAndGivesScratchBack) {
  Random random(3);
  const auto buffers = random_buffers(random, 100, 40, 90);
  std::pmr::monotonic_buffer_resource result;
  std::pmr::unsynchronized_pool_resource scratch;
  const Solution solution = solve({buffers, 1, 0}, {2'000}, result, scratch);
  EXPECT_EQ(solution.offsets.get_allocator().resource(), &result);
}

}  // namespace
}  // namespace skiff::plan
