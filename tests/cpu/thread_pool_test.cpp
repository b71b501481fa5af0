#include "runtime/cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <unistd.h>

#include <ctime>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include <skiff/error.h>

#include "platform/thread.h"

namespace skiff::cpu {
namespace {

/// Counts what is asked of it.
class CountingResource final : public std::pmr::memory_resource {
 public:
  std::size_t current = 0, total = 0;
  int calls = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    current += bytes, total += bytes, ++calls;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    current -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

TEST(ThreadPool, EveryTaskRunsOnce) {
  CountingResource memory;
  for (int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads, memory);
    for (std::int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      std::atomic<bool> good{true};
      pool.parallel_for(tasks, [&](std::int64_t task, int thread) {
        if (thread < 0 || thread >= threads) good = false;
        ++runs[static_cast<std::size_t>(task)];
      });
      EXPECT_TRUE(good);
      for (const auto& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

// A thread that hangs in its first task has all its others taken away: else this would not end.
TEST(ThreadPool, OthersDoWhatASlowThreadDoesNot) {
  constexpr std::int64_t kTasks = 100;
  for (int threads : {2, 3, 5}) {
    ThreadPool pool(threads, *std::pmr::new_delete_resource());
    std::atomic<std::int64_t> done{0};
    pool.parallel_for(kTasks, [&](std::int64_t task) {
      while (task == 0 && done < kTasks - 1) sched_yield();
      ++done;
    });
    EXPECT_EQ(done, kTasks);
  }
}

TEST(ThreadPool, WhatTasksWroteIsSeenAfterwards) {
  CountingResource memory;
  ThreadPool pool(3, memory);
  std::vector<std::int64_t> values(64);
  for (std::int64_t round = 1; round <= 5000; ++round) {
    pool.parallel_for(
        64, [&](std::int64_t task) { values[static_cast<std::size_t>(task)] += task * round; });
    if (round % 97 == 0) pool.rest();
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(values[i], static_cast<std::int64_t>(i) * 5000 * 5001 / 2);
}

TEST(ThreadPool, WorkersComputeInTheCallersMode) {
  std::pmr::memory_resource& memory = *std::pmr::get_default_resource();
  ThreadPool pool(2, memory);
  const auto flushing_tasks = [&] {
    std::array<std::atomic<int>, 2> ran{}, flushing{};
    while (ran[1] == 0)  // until a worker took part
      pool.parallel_for(64, [&](std::int64_t, int thread) {
        const auto t = static_cast<std::size_t>(thread);
        ++ran[t];
        if ((float_mode() & kFlushSubnormals) == kFlushSubnormals) ++flushing[t];
        ::usleep(20);
      });
    for (std::size_t t = 0; t < 2; ++t)
      EXPECT_TRUE(flushing[t] == 0 || flushing[t] == ran[t]) << "thread " << t;
    EXPECT_EQ(flushing[0] > 0, flushing[1] > 0);
    return flushing[0] + flushing[1];
  };
  EXPECT_EQ(flushing_tasks(), 0);
  {
    const FlushSubnormals flush;
    EXPECT_GT(flushing_tasks(), 0);
  }
  EXPECT_EQ(flushing_tasks(), 0);
}

TEST(ThreadPool, MemoryIsTheCallersAndWhatWasPredicted) {
  CountingResource memory;
  for (int threads : {1, 2, 4}) {
    memory.total = 0;
    memory.calls = 0;
    {
      ThreadPool pool(threads, memory);
      pool.parallel_for(10, [](std::int64_t) {});
      EXPECT_EQ(memory.total, ThreadPool::memory_bytes(threads));
      EXPECT_EQ(memory.calls, threads == 1 ? 0 : 1);
    }
    EXPECT_EQ(memory.current, 0u);
  }
}

TEST(ThreadPool, TwoUsersAtOnceBothGetTheirWorkDone) {
  CountingResource memory;
  ThreadPool pool(3, memory);
  struct User {
    ThreadPool* pool;
    std::atomic<std::int64_t> sum{0};
  };
  std::array<User, 2> users{User{&pool}, User{&pool}};
  const auto body = [](void* argument) {
    auto& user = *static_cast<User*>(argument);
    for (int round = 0; round < 500; ++round)
      user.pool->parallel_for(20, [&](std::int64_t task) { user.sum += task; });
  };
  std::vector<std::byte> raw(2 * platform::thread_stack_bytes() + platform::kThreadStackAlignment);
  auto at = (reinterpret_cast<std::uintptr_t>(raw.data()) + platform::kThreadStackAlignment - 1) /
            platform::kThreadStackAlignment * platform::kThreadStackAlignment;
  {
    std::vector<platform::Thread> threads;
    for (User& user : users) {
      threads.emplace_back(
          std::span(reinterpret_cast<std::byte*>(at), platform::thread_stack_bytes()), body, &user);
      at += platform::thread_stack_bytes();
    }
  }
  for (const User& user : users) EXPECT_EQ(user.sum, 500 * 190);
}

TEST(ThreadPool, WorkersAreQuietWhenIdle) {
  CountingResource memory;
  ThreadPool pool(2, memory);
  pool.parallel_for(2, [](std::int64_t) {});
  pool.rest();
  usleep(20000);
  const std::clock_t before = std::clock();
  usleep(100000);
  // A worker that spins would use the whole tenth of a second.
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.05);
}

/// Workers that come too late for the last job must see the end behind it.
TEST(ThreadPool, EndsRightBehindAJob) {
  std::pmr::memory_resource& memory = *std::pmr::get_default_resource();
  std::atomic<int> ran{0};
  for (int i = 0; i < 2000; ++i) {
    ThreadPool pool(1 + i % 3, memory);
    pool.parallel_for(2, [&](std::int64_t) { ++ran; });
  }
  EXPECT_EQ(ran, 4000);
}

TEST(ThreadPool, RefusesImpossibleCounts) {
  CountingResource memory;
  for (int threads : {0, -1, ThreadPool::kMaxThreads + 1})
    EXPECT_THROW(ThreadPool(threads, memory), Error);
}

}  // namespace
}  // namespace skiff::cpu
