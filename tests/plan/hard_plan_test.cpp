// The hard instances of google/minimalloc, read from outside the repository.
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>

#include "runtime/plan/judge.h"
#include "runtime/plan/solve.h"
#include "tests/plan/csv.h"
#include "tests/support/sanitized.h"
#include "tests/support/shared_data.h"
#include "tests/support/thorough.h"

namespace skiff::plan {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class HardInstance : public testing::TestWithParam<char> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "no " << path_ << " (set SKIFF_DATA)";
  }

  const std::filesystem::path path_ =
      test::shared_data() / "memory-planning" / (std::string(1, GetParam()) + ".1048576.csv");
};

TEST_P(HardInstance, FitsTheCapacityInItsNameWithinTwoSeconds) {
  auto& memory = *std::pmr::get_default_resource();
  const CsvProblem csv = read_csv(path_.string());
  const Problem problem{csv.buffers, 1, capacity_in_name(path_.string())};
  const double start = cpu_seconds();
  const Solution solution = solve(problem, {20'000'000}, memory);
  const double took = cpu_seconds() - start;
  EXPECT_TRUE(solution.fits) << solution.height;
  EXPECT_TRUE(valid(problem, solution.offsets, problem.capacity, memory));
  EXPECT_LE(took, test::kSanitized ? 60 : 2);
  RecordProperty("nodes", std::to_string(solution.nodes));
}

struct Smallest {
  char instance;
  std::int64_t height;  ///< that a minute must suffice for
};

class SmallestPacking : public testing::TestWithParam<Smallest> {};

TEST_P(SmallestPacking, IsFoundWithinAMinute) {
  const std::string name = std::string(1, GetParam().instance) + ".1048576.csv";
  const auto path = test::shared_data() / "memory-planning" / name;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set SKIFF_DATA)";
  auto& memory = *std::pmr::get_default_resource();
  const CsvProblem csv = read_csv(path.string());
  const Problem problem{csv.buffers, 1, 0};
  const double start = cpu_seconds();
  const Solution solution = solve(problem, {5'000'000}, memory);
  EXPECT_LE(cpu_seconds() - start, 60);
  EXPECT_LE(solution.height, GetParam().height);
  EXPECT_TRUE(valid(problem, solution.offsets, solution.height, memory));
}

constexpr Smallest kSmallest[] = {{'C', 1'039'360}, {'D', 1'025'024}, {'J', 1'036'288}};
INSTANTIATE_TEST_SUITE_P(
    Minimalloc, SmallestPacking,
    testing::ValuesIn(kSmallest, kSmallest + (test::thorough() && !test::kSanitized ? 3 : 1)));
INSTANTIATE_TEST_SUITE_P(Minimalloc, HardInstance,
                         testing::Range('A', test::kSanitized ? 'D' : 'L'));

}  // namespace
}  // namespace skiff::plan
