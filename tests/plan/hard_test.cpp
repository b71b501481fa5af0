// The hard instances of google/minimalloc, read from outside the repository.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "runtime/plan/judge.h"
#include "runtime/plan/solve.h"
#include "tests/plan/csv.h"
#include "tests/support/sanitized.h"
#include "tests/support/shared_data.h"

namespace skiff::plan {
namespace {

class HardInstance : public testing::TestWithParam<char> {};

TEST_P(HardInstance, FitsTheCapacityInItsName) {
  const auto path =
      test::shared_data() / "memory-planning" / (std::string(1, GetParam()) + ".1048576.csv");
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "no " << path.string() << " (set SKIFF_DATA)";
  }
  auto& memory = *std::pmr::get_default_resource();
  const CsvProblem csv = read_csv(path.string());
  const Problem problem{csv.buffers, 1, capacity_in_name(path.string())};
  const Solution solution = solve(problem, {20'000'000}, memory);
  EXPECT_TRUE(solution.fits) << solution.height;
  EXPECT_TRUE(valid(problem, solution.offsets, problem.capacity, memory));
  RecordProperty("nodes", std::to_string(solution.nodes));
}

INSTANTIATE_TEST_SUITE_P(Minimalloc, HardInstance,
                         testing::Range('A', test::kSanitized ? 'D' : 'L'));

}  // namespace
}  // namespace skiff::plan
