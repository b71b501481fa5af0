#include "runtime/tune/plan_cache.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/command.h"

// The file that keeps what tuning found: whole or ignored, whatever happens to it.
namespace skiff::tune {
namespace {

using test::ScratchFolder;

PlanCache cache_of(int first, int count) {
  PlanCache cache;
  for (int i = first; i < first + count; ++i)
    cache.put(PlanCache::key_of("node " + std::to_string(i)),
              "cudnn.all." + std::to_string(i) + ".1=2,3=4");
  return cache;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(PlanCache, KeepsWhatWasPut) {
  const PlanCache cache = cache_of(0, 3);
  PlanCache read;
  ASSERT_TRUE(read.parse(cache.text()));
  EXPECT_EQ(read.size(), 3u);
  EXPECT_EQ(read.find(PlanCache::key_of("node 1")), "cudnn.all.1.1=2,3=4");
  EXPECT_EQ(read.find(PlanCache::key_of("node 9")), "");
}

TEST(PlanCache, TakesNoNamesThatAreNone) {
  PlanCache cache;
  const std::string key = PlanCache::key_of("x");
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\nb"),
                                  std::string("\x80"), std::string(PlanCache::kMostName + 1, 'x')})
    cache.put(key, name);
  cache.put("no key", "direct");
  EXPECT_EQ(cache.size(), 0u);
}

TEST(PlanCache, EveryTruncationIsNoticed) {
  const std::string text = cache_of(0, 3).text();
  for (std::size_t length = 0; length < text.size(); ++length) {
    PlanCache read = cache_of(5, 1);
    EXPECT_FALSE(read.parse(text.substr(0, length))) << length;
    EXPECT_EQ(read.size(), 0u);
  }
}

TEST(PlanCache, EveryFlippedBitIsNoticed) {
  const std::string text = cache_of(0, 3).text();
  for (std::size_t at = 0; at < text.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      PlanCache read;
      EXPECT_FALSE(read.parse(damaged)) << at << " bit " << bit;
      EXPECT_EQ(read.size(), 0u);
    }
}

/// Lines that carry a right digest and are wrong all the same.
TEST(PlanCache, GarbageUnderARightDigest) {
  const std::string key = PlanCache::key_of("x");
  for (const std::string& lines :
       {std::string("nonsense\n"), key + "\n", key + " \n", key + " a b\n", key + "\tdirect\n",
        key.substr(1) + " direct\n", std::string(64, 'Z') + " direct\n", std::string("\n"),
        key + " direct\n\n", key + " " + std::string(1000, 'x') + "\n"}) {
    PlanCache read;
    EXPECT_FALSE(read.parse("skiff plans 1\n" + PlanCache::key_of(lines) + "\n" + lines)) << lines;
  }
  PlanCache read;
  EXPECT_TRUE(read.parse("skiff plans 1\n" + PlanCache::key_of("") + "\n"));
  EXPECT_FALSE(read.parse("skiff plans 2\n" + PlanCache::key_of("") + "\n"));
}

TEST(PlanCache, AFileThatIsNoneIsSaid) {
  const ScratchFolder folder;
  std::string why;
  PlanCache cache;
  EXPECT_TRUE(cache.load(folder / "missing", why));
  write(folder / "garbage", std::string(1000, '\xff'));
  EXPECT_FALSE(cache.load(folder / "garbage", why));
  EXPECT_NE(why.find("damaged"), std::string::npos);
  EXPECT_FALSE(cache.load(folder / "", why)) << "a folder";
  EXPECT_EQ(cache.size(), 0u);
}

TEST(PlanCache, SavesMakesFoldersAndAdds) {
  const ScratchFolder folder;
  const std::string path = folder / "deep/er/plans";
  std::string why;
  ASSERT_TRUE(cache_of(0, 2).save(path, why)) << why;
  ASSERT_TRUE(cache_of(1, 2).save(path, why)) << why;
  PlanCache read;
  ASSERT_TRUE(read.load(path, why)) << why;
  EXPECT_EQ(read.size(), 3u);
  write(path, "damaged");
  ASSERT_TRUE(cache_of(7, 1).save(path, why)) << why;
  ASSERT_TRUE(read.load(path, why)) << why;
  EXPECT_EQ(read.size(), 1u);
}

TEST(PlanCache, WhatIsSavedLastCounts) {
  const ScratchFolder folder;
  const std::string path = folder / "plans", key = PlanCache::key_of("x");
  std::string why;
  for (const char* name : {"first", "second"}) {
    PlanCache cache, read;
    cache.put(key, name);
    ASSERT_TRUE(cache.save(path, why)) << why;
    ASSERT_TRUE(read.load(path, why)) << why;
    EXPECT_EQ(read.find(key), name);
  }
}

TEST(PlanCache, WhereNothingCanBeWrittenItSaysSo) {
  const ScratchFolder folder;
  write(folder / "file", "");
  std::string why;
  for (const std::string& path : {folder / "file/plans", folder / "", std::string("/proc/plans")}) {
    EXPECT_FALSE(cache_of(0, 1).save(path, why)) << path;
    EXPECT_NE(why, "");
  }
}

/// Saves in a process that may write `limit` bytes a file; by then it is killed, or hears of it.
int save_limited(const PlanCache& cache, const std::string& path, rlim_t limit, bool killed) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limits{limit, limit}, no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &limits);
    if (!killed) ::signal(SIGXFSZ, SIG_IGN);
    std::string why;
    ::_exit(cache.save(path, why) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Dying or a full disk after any number of bytes leaves what was there.
TEST(PlanCache, EveryPrefixOfAWriteLeavesTheOldFileOrTheNewOne) {
  const PlanCache before = cache_of(0, 2), more = cache_of(2, 1);
  std::string why;
  for (const bool killed : {true, false})
    for (const bool existed : {true, false}) {
      const ScratchFolder folder;
      const std::string path = folder / "plans";
      if (existed) {
        ASSERT_TRUE(before.save(path, why));
      }
      const std::size_t old_entries = existed ? 2 : 0;
      const std::size_t bytes = cache_of(existed ? 0 : 2, existed ? 3 : 1).text().size();
      for (rlim_t limit = 0; limit < bytes; ++limit) {
        EXPECT_NE(save_limited(more, path, limit, killed), 0) << limit;
        PlanCache read;
        ASSERT_TRUE(read.load(path, why)) << limit << ": " << why;
        ASSERT_EQ(read.size(), old_entries) << limit;
      }
      EXPECT_EQ(save_limited(more, path, bytes, killed), 0);
      PlanCache read;
      ASSERT_TRUE(read.load(path, why)) << why;
      EXPECT_EQ(read.size(), old_entries + 1);
    }
}

TEST(PlanCache, WritersAtOnceLeaveAWholeFile) {
  const ScratchFolder folder;
  const std::string path = folder / "plans";
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < 25; ++i) {
        std::string why;
        EXPECT_TRUE(cache_of(w * 100 + i, 1).save(path, why)) << why;
        PlanCache read;
        EXPECT_TRUE(read.load(path, why)) << why;
        EXPECT_GE(read.size(), 1u);
      }
    });
  for (std::thread& writer : writers) writer.join();
}

TEST(PlanCache, LiesInTheUsersCacheFolder) {
  setenv("XDG_CACHE_HOME", "/cache", 1);
  EXPECT_EQ(default_plan_cache(), "/cache/skiff/plans");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/you", 1);
  EXPECT_EQ(default_plan_cache(), "/home/you/.cache/skiff/plans");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(default_plan_cache(), "");
}

}  // namespace
}  // namespace skiff::tune
