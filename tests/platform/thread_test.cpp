#include "platform/thread.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cstring>
#include <memory_resource>
#include <vector>

#include <skiff/error.h>

#include "platform/futex.h"
#include "tests/support/malloc_probe.h"

namespace skiff::platform {
namespace {

class Stack {
 public:
  explicit Stack(std::size_t bytes = thread_stack_bytes())
      : bytes_(bytes),
        memory_(std::pmr::new_delete_resource()->allocate(bytes, kThreadStackAlignment)) {}
  ~Stack() { std::pmr::new_delete_resource()->deallocate(memory_, bytes_, kThreadStackAlignment); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  std::span<std::byte> span() const { return {static_cast<std::byte*>(memory_), bytes_}; }

 private:
  std::size_t bytes_;
  void* memory_;
};

TEST(Thread, RunsAndJoins) {
  Stack stack;
  std::atomic<int> value{0};
  {
    Thread first(
        stack.span(), [](void* v) { *static_cast<std::atomic<int>*>(v) = 42; }, &value);
    Thread moved(std::move(first));
    moved.join();
    EXPECT_EQ(value, 42);
  }
}

TEST(Thread, HasTheNameAndTheCpuAskedFor) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  int cpu = CPU_SETSIZE - 1;
  while (!CPU_ISSET(cpu, &allowed)) --cpu;
  struct Shared {
    std::atomic<std::uint32_t> go{0};
    char name[16] = {};
    int cpu = -1;
  } shared;
  Stack stack;
  Thread thread(stack.span(),
                [](void* argument) {
                  auto& s = *static_cast<Shared*>(argument);
                  while (s.go.load() == 0) futex_wait(s.go, 0);
                  pthread_getname_np(pthread_self(), s.name, sizeof(s.name));
                  s.cpu = sched_getcpu();
                },
                &shared, {.name = "skiff-worker-number-7", .cpu = cpu});
  shared.go = 1;
  futex_wake(shared.go);
  thread.join();
  EXPECT_STREQ(shared.name, "skiff-worker-nu");
  EXPECT_EQ(shared.cpu, cpu);
}

TEST(Thread, RefusesABadStack) {
  Stack stack;
  const auto nothing = [](void*) {};
  EXPECT_THROW(Thread(stack.span().subspan(16), nothing, nullptr), Error);
  EXPECT_THROW(Thread(stack.span().first(kThreadStackBytes), nothing, nullptr), Error);
}

#if !SKIFF_SANITIZED

TEST(Thread, LeavesThePromisedStackFree) {
  Stack stack;
  std::memset(stack.span().data(), 0x5a, stack.span().size());
  std::size_t depth = 0;
  Thread(
      stack.span(),
      [](void* result) {
        pthread_attr_t attributes;
        void* low;
        std::size_t size;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstack(&attributes, &low, &size);
        pthread_attr_destroy(&attributes);
        const char here = 0;
        *static_cast<std::size_t*>(result) =
            static_cast<std::size_t>(&here - static_cast<const char*>(low));
      },
      &depth)
      .join();
  EXPECT_GE(depth, kThreadStackBytes - 1024);
}

// The contract of the memory bill: what a thread costs beside its stack is known beforehand.
TEST(Thread, OverheadIsExactlyWhatTheCLibraryRequests) {
  Stack stacks[3];
  const std::size_t predicted = 3 * thread_overhead_bytes();
  std::atomic<int> started{0};
  const auto body = [](void* count) { ++*static_cast<std::atomic<int>*>(count); };
  test::MallocProbe probe;
  {
    Thread first(stacks[0].span(), body, &started, {.name = "first", .cpu = 0});
    Thread second(stacks[1].span(), body, &started, {.name = "second"});
    Thread third(stacks[2].span(), body, &started);
  }
  const test::MallocProbe::Count counted = probe.stop();
  EXPECT_EQ(started, 3);
  EXPECT_EQ(counted.bytes, predicted);
  EXPECT_EQ(counted.calls, 3u);
}

#endif

}  // namespace
}  // namespace skiff::platform
