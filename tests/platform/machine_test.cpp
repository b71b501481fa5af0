#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <vector>

#include "platform/clock.h"
#include "platform/cpu_info.h"
#include "platform/memory_state.h"
#include "tests/platform/temporary_folder.h"

namespace skiff::platform {
namespace {

TEST(CpuInfo, FeaturesAreConsistent) {
  const CpuFeatures& features = cpu_features();
#if defined(__x86_64__)
  EXPECT_TRUE(features.sse2);
  EXPECT_FALSE(features.neon);
  EXPECT_EQ(features.avx2_fma, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(features.avx512,
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
#elif defined(__aarch64__)
  EXPECT_TRUE(features.neon);
  EXPECT_FALSE(features.sse2);
#endif
}

TEST(CpuInfo, CountsTheCpusOfTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(usable_cpus(), CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(usable_cpus(), 1);
  sched_setaffinity(0, sizeof(before), &before);
}

TEST(CpuInfo, ReadsCachesAndNameOfAnotherMachine) {
  TemporaryFolder root;
  const auto cache = [&](const char* index, const char* level, const char* type, const char* size) {
    const std::string base = std::string("sys/devices/system/cpu/cpu0/cache/") + index;
    root.write(base + "/level", std::string(level) + "\n");
    root.write(base + "/type", std::string(type) + "\n");
    root.write(base + "/size", std::string(size) + "\n");
  };
  cache("index0", "1", "Data", "64K");
  cache("index1", "1", "Instruction", "96K");
  cache("index2", "2", "Unified", "256K");
  cache("index3", "3", "Unified", "2M");
  root.write("proc/cpuinfo",
             "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
             "CPU part\t: 0xd42\nCPU revision\t: 1\n\n");
  const CacheSizes sizes = cache_sizes(root.root());
  EXPECT_EQ(sizes.l1, 64u << 10);
  EXPECT_EQ(sizes.l2, 256u << 10);
  EXPECT_EQ(sizes.l3, 2u << 20);
  EXPECT_STREQ(cpu_name(root.root()).data(), "Cortex-A78AE");
}

TEST(CpuInfo, UnknownIsNoError) {
  TemporaryFolder empty;
  EXPECT_EQ(cache_sizes(empty.root()).l1, 0u);
  EXPECT_STREQ(cpu_name(empty.root()).data(), "unknown");
}

TEST(MemoryState, FollowsTheProcess) {
  const MemoryState before = memory_state();
  EXPECT_GT(before.resident, 0u);
  EXPECT_GE(before.peak_resident, before.resident);
  EXPECT_GE(before.total, before.available);
  constexpr std::size_t size = 64u << 20;
  std::vector<char> block(size);
  std::memset(block.data(), 1, size);
  EXPECT_GE(memory_state().peak_resident, before.resident + size * 9 / 10);
}

TEST(MemoryState, ReadsAnotherMachineAndSurvivesNone) {
  TemporaryFolder root;
  root.write("proc/meminfo", "MemTotal:   7998976 kB\nMemFree: 1 kB\nMemAvailable:  4000 kB\n");
  EXPECT_EQ(memory_state(root.root()).total, 7998976ull * 1024);
  EXPECT_EQ(memory_state(root.root()).available, 4000u * 1024);
  EXPECT_EQ(memory_state(root.root()).resident, 0u);
}

TEST(Clock, NeverGoesBack) {
  std::int64_t last = monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = monotonic_ns();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace skiff::platform
