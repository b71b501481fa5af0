#include "runtime/plan/judge.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/plan/random.h"

namespace skiff::plan {
namespace {

using Fault = Verdict::Fault;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int32_t kLastStep = std::numeric_limits<std::int32_t>::max();

Verdict judge(const std::vector<Buffer>& buffers, const std::vector<std::int64_t>& offsets,
              std::int64_t capacity, std::int64_t alignment = 1) {
  return valid({buffers, alignment, 0}, offsets, capacity, *std::pmr::get_default_resource());
}

/// Every pair, every rule, in the plainest way.
bool plainly_valid(const std::vector<Buffer>& b, const std::vector<std::int64_t>& o,
                   std::int64_t capacity, std::int64_t alignment) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (o[i] < 0 || o[i] + b[i].size > capacity || o[i] % alignment != 0) return false;
    for (std::size_t j = 0; j < i; ++j) {
      const bool in_time = b[i].first < b[j].end && b[j].first < b[i].end;
      const bool in_space = o[i] < o[j] + b[j].size && o[j] < o[i] + b[i].size;
      if (in_time && in_space && b[i].size > 0 && b[j].size > 0) return false;
    }
  }
  return true;
}

TEST(Judge, AgreesWithEveryPairChecked) {
  int good = 0, bad = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const std::int64_t alignment = 1 + random.below(2);
    std::vector<Buffer> buffers(static_cast<std::size_t>(random.below(7)));
    std::vector<std::int64_t> offsets;
    for (Buffer& buffer : buffers) {
      buffer.first = random.below(8);
      buffer.end = buffer.first + 1 + random.below(4);
      buffer.size = random.below(5);
      offsets.push_back(alignment * random.below(14) + (random.one_in(20) ? 1 : 0));
    }
    const Verdict verdict = judge(buffers, offsets, 24, alignment);
    ASSERT_EQ(static_cast<bool>(verdict), plainly_valid(buffers, offsets, 24, alignment)) << seed;
    ++(verdict ? good : bad);
    if (verdict.fault != Fault::overlap) continue;
    const auto i = static_cast<std::size_t>(verdict.first);
    const auto j = static_cast<std::size_t>(verdict.second);
    EXPECT_FALSE(plainly_valid({buffers[i], buffers[j]}, {offsets[i], offsets[j]}, 100, alignment));
  }
  EXPECT_GT(good, 2'000);
  EXPECT_GT(bad, 2'000);
}

TEST(Judge, NamesWhatIsWrong) {
  const std::vector<Buffer> two = {{0, 2, 100}, {1, 3, 100}};
  EXPECT_TRUE(judge(two, {0, 100}, 200));
  EXPECT_EQ(judge(two, {0}, 200).fault, Fault::count);
  EXPECT_EQ(judge(two, {0, 100}, 199).fault, Fault::range);
  EXPECT_EQ(judge(two, {0, 100}, 200).first, -1);
  EXPECT_EQ(judge(two, {0, 120}, 400, 64).fault, Fault::alignment);
  const Verdict overlap = judge(two, {50, 0}, 200);
  EXPECT_EQ(overlap.fault, Fault::overlap);
  EXPECT_EQ(overlap.first + overlap.second, 1);
  EXPECT_STREQ(name_of(overlap.fault), "overlap");
  EXPECT_TRUE(judge({{0, 2, 100}, {2, 3, 100}}, {0, 0}, 100)) << "lifetimes are half-open";
}

TEST(Judge, HostileNumbersAreFaultsAndNothingElse) {
  EXPECT_EQ(judge({{0, 1, -1}}, {0}, 10).fault, Fault::size);
  EXPECT_EQ(judge({{0, 1, kLeast}}, {0}, 10).fault, Fault::size);
  EXPECT_EQ(judge({{1, 1, 1}}, {0}, 10).fault, Fault::lifetime);
  EXPECT_EQ(judge({{-1, 1, 1}}, {0}, 10).fault, Fault::lifetime);
  EXPECT_EQ(judge({{5, -7, 1}}, {0}, 10).fault, Fault::lifetime);
  EXPECT_EQ(judge({{0, 1, kMost}}, {1}, kMost).fault, Fault::range);
  EXPECT_EQ(judge({{0, 1, 1}}, {kMost}, kMost).fault, Fault::range);
  EXPECT_EQ(judge({{0, 1, 1}}, {kLeast}, kMost).fault, Fault::range);
  EXPECT_EQ(judge({{0, 1, 1}}, {0}, kLeast).fault, Fault::range);
  EXPECT_EQ(judge({{0, 1, 1}}, {0}, 10, 0).fault, Fault::alignment);
  EXPECT_EQ(judge({{0, 1, 1}}, {0}, 10, kLeast).fault, Fault::alignment);
  EXPECT_TRUE(judge({{0, kLastStep, kMost}}, {0}, kMost));
  EXPECT_EQ(judge({{0, kLastStep, kMost}, {0, 1, 1}}, {0, kMost - 1}, kMost).fault, Fault::overlap);
}

}  // namespace
}  // namespace skiff::plan
