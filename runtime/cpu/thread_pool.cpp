#include "runtime/cpu/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <new>

#include "platform/futex.h"
#include "platform/thread.h"
#include "runtime/core/error.h"

namespace skiff::cpu {
namespace {

// About 40-200 microseconds: longer than the gap between two operators, shorter than a user
// notices. Between two runs half of that.
constexpr int kSpins = 4000;
constexpr int kSpinsAtRest = 2000;
constexpr std::int64_t kTasksPerJob = std::int64_t{1} << 31;

void pause_briefly() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // "yield" takes no time on most cores
#endif
}

}  // namespace

struct ThreadPool::Worker {
  ThreadPool* pool;
  int index;
  platform::Thread thread;

  Worker(ThreadPool* owner, int i, std::span<std::byte> stack)
      : pool(owner), index(i), thread(stack, &Worker::enter, this, {.name = "skiff"}) {}
  static void enter(void* self) {
    auto* worker = static_cast<Worker*>(self);
    worker->pool->work(worker->index);
  }
};

/// The tasks of one thread that nobody has taken: the first one above 32 bits of the one past the
/// last. Its thread takes the first; others halve it.
struct alignas(64) ThreadPool::Share {
  std::atomic<std::uint64_t> left{0};

  void set(std::uint64_t begin, std::uint64_t end) noexcept {
    left.store(pack(begin, end), std::memory_order_relaxed);
  }
  /// The first task.
  bool take(std::uint32_t& task) noexcept {
    std::uint32_t end = 0;
    return change(task, end,
                  [](std::uint32_t begin, std::uint32_t e) { return pack(begin + 1, e); });
  }
  /// The second half, [begin, end): all of it where one task is left.
  bool halve(std::uint32_t& begin, std::uint32_t& end) noexcept {
    std::uint32_t first = 0;
    if (!change(first, end, [](std::uint32_t b, std::uint32_t e) { return pack(b, middle(b, e)); }))
      return false;
    begin = middle(first, end);
    return true;
  }

 private:
  static constexpr std::uint64_t pack(std::uint64_t begin, std::uint64_t end) noexcept {
    return begin << 32 | end;
  }
  static constexpr std::uint32_t middle(std::uint32_t begin, std::uint32_t end) noexcept {
    return begin + (end - begin) / 2;
  }
  /// Replaces what is left by what `rest` makes of it; gives what it was. False: nothing is left.
  template <typename F>
  bool change(std::uint32_t& begin, std::uint32_t& end, F rest) noexcept {
    std::uint64_t now = left.load(std::memory_order_relaxed);
    for (;;) {
      begin = static_cast<std::uint32_t>(now >> 32);
      end = static_cast<std::uint32_t>(now);
      if (begin >= end) return false;
      if (left.compare_exchange_weak(now, rest(begin, end), std::memory_order_relaxed)) return true;
    }
  }
};

std::size_t ThreadPool::memory_bytes(int threads) noexcept {
  if (threads <= 1) return 0;
  const auto all = static_cast<std::size_t>(threads);
  return (all - 1) * (platform::thread_stack_bytes() + sizeof(Worker)) + all * sizeof(Share);
}

ThreadPool::ThreadPool(int threads, std::pmr::memory_resource& memory)
    : threads_(threads), memory_(&memory) {
  require(threads >= 1 && threads <= kMaxThreads, ErrorCode::invalid_argument,
          "thread pool: ", threads, " threads, must be in [1, ", kMaxThreads, "]");
  if (threads == 1) return;
  const std::size_t stack = platform::thread_stack_bytes();
  const int workers = threads - 1;
  block_ = static_cast<std::byte*>(
      memory.allocate(memory_bytes(threads), platform::kThreadStackAlignment));
  shares_ = reinterpret_cast<Share*>(block_ + static_cast<std::size_t>(workers) * stack);
  for (int i = 0; i < threads; ++i) new (shares_ + i) Share;
  workers_ = reinterpret_cast<Worker*>(shares_ + threads);
  for (int i = 0; i < workers; ++i) {
    try {
      const std::span<std::byte> own(block_ + static_cast<std::size_t>(i) * stack, stack);
      new (workers_ + i) Worker(this, i + 1, own);
    } catch (...) {
      stop(i);
      throw;
    }
  }
}

ThreadPool::~ThreadPool() {
  if (block_ != nullptr) stop(threads_ - 1);
}

void ThreadPool::stop(int workers) noexcept {
  stopping_.store(true);
  epoch_.fetch_add(1);
  platform::futex_wake(epoch_);
  for (int i = 0; i < workers; ++i) workers_[i].~Worker();
  memory_->deallocate(block_, memory_bytes(threads_), platform::kThreadStackAlignment);
}

void ThreadPool::divide(std::uint32_t tasks) noexcept {
  const auto threads = static_cast<std::uint64_t>(threads_);
  for (std::uint64_t t = 0; t < threads; ++t)
    shares_[t].set(t * tasks / threads, (t + 1) * tasks / threads);
}

/// Half of what another thread has left: its first task is `task`, the others are this thread's
/// share.
bool ThreadPool::take_over(int thread, std::uint32_t& task) noexcept {
  for (int i = 1; i < threads_; ++i) {
    std::uint32_t end = 0;
    if (!shares_[(thread + i) % threads_].halve(task, end)) continue;
    shares_[thread].set(task + 1, end);
    return true;
  }
  return false;
}

void ThreadPool::take_tasks(int thread) noexcept {
  std::uint32_t task = 0;
  while (shares_[thread].take(task) || take_over(thread, task))
    call_(context_, first_ + task, thread);
}

void ThreadPool::run(std::int64_t tasks, Call call, void* context) noexcept {
  if (busy_.exchange(true, std::memory_order_acquire)) {
    for (std::int64_t task = 0; task < tasks; ++task) call(context, task, 0);
    return;
  }
  call_ = call;
  context_ = context;
  mode_ = float_mode();
  resting_.store(false, std::memory_order_relaxed);
  for (first_ = 0; first_ < tasks; first_ += kTasksPerJob) {
    divide(static_cast<std::uint32_t>(std::min(tasks - first_, kTasksPerJob)));
    run_job();
  }
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::run_job() noexcept {
  gate_.store(kOpen, std::memory_order_release);
  // Sequentially consistent, as is the worker's side: either it sees the new epoch and does not
  // sleep, or it is counted here and woken.
  epoch_.fetch_add(1);
  if (sleepers_.load() > 0) platform::futex_wake(epoch_);
  take_tasks(0);
  // Close the gate, then wait for those inside. Workers that never came are not waited for.
  gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (int spins = 0; gate_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < kSpins)
      pause_briefly();
    else
      sched_yield();  // the worker may have lost its CPU to something else
  }
}

bool ThreadPool::join_job() noexcept {
  std::uint32_t gate = gate_.load(std::memory_order_relaxed);
  while ((gate & kOpen) != 0)
    if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire,
                                    std::memory_order_relaxed))
      return true;
  return false;
}

void ThreadPool::wait_for_job(std::uint32_t seen) noexcept {
  bool resting = false;
  for (int left = kSpins; left > 0; --left) {
    if (epoch_.load(std::memory_order_acquire) != seen) return;
    if (!resting && resting_.load(std::memory_order_relaxed)) {
      resting = true;
      left = std::min(left, kSpinsAtRest);
    }
    pause_briefly();
  }
  sleepers_.fetch_add(1);
  while (epoch_.load() == seen) platform::futex_wait(epoch_, seen);
  sleepers_.fetch_sub(1);
}

void ThreadPool::work(int thread) noexcept {
  std::uint32_t seen = 0;
  for (;;) {
    wait_for_job(seen);
    // In this order, the reverse of stop()'s: its epoch must not be taken for one to sleep on.
    seen = epoch_.load();
    if (stopping_.load()) return;
    if (!join_job()) continue;
    set_float_mode(mode_);
    take_tasks(thread);
    gate_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace skiff::cpu
