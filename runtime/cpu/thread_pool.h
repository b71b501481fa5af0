#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <type_traits>

#include "runtime/cpu/float_mode.h"

namespace skiff::cpu {

/// Workers made once; the caller of parallel_for works too, so `threads` counts it. Each thread has
/// its share of the tasks, the same one on every call with as many tasks, so that what it wrote is
/// in its core's cache for the next operator; who is done takes the second half of what another has
/// left and makes it its own, so that a core that is slow or busy with something else delays no job
/// by more than a task or two. Which thread runs a task is chance all the same: a task's result
/// must not depend on it. A thread's tasks come in rising order but for what it takes from others.
/// Workers wait actively for a moment after each job and sleep otherwise. They compute in the
/// caller's floating-point mode.
///
/// Several sessions may share a pool: who finds it busy does its tasks alone.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  /// Makes threads - 1 workers; stacks and records come from `memory`, which must outlive the pool.
  /// Throws Error{invalid_argument} unless 1 <= threads <= kMaxThreads.
  ThreadPool(int threads, std::pmr::memory_resource& memory);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// What the constructor asks of its memory resource, in one allocation; 0 for one thread.
  static std::size_t memory_bytes(int threads) noexcept;

  int threads() const noexcept { return threads_; }

  /// Calls f(task) or f(task, thread) for every task in [0, tasks), thread in [0, threads()), and
  /// returns when all are done. Allocates nothing; f must not throw and must not call parallel_for
  /// of this pool.
  template <typename F>
  void parallel_for(std::int64_t tasks, F&& f) noexcept {
    using Callable = std::remove_reference_t<F>;
    const auto call = [](void* context, std::int64_t task, int thread) {
      auto& callable = *static_cast<Callable*>(context);
      if constexpr (std::invocable<Callable&, std::int64_t, int>)
        callable(task, thread);
      else
        callable(task);
    };
    if (tasks <= 1 || threads_ == 1) {
      for (std::int64_t task = 0; task < tasks; ++task) call(address_of(f), task, 0);
      return;
    }
    run(tasks, call, address_of(f));
  }

  /// Sends the workers to sleep soon, unless another job comes at once: run() calls it when it
  /// returns.
  void rest() noexcept { resting_.store(true, std::memory_order_relaxed); }

 private:
  using Call = void (*)(void* context, std::int64_t task, int thread);
  struct Worker;
  struct Share;

  template <typename F>
  static void* address_of(F& f) noexcept {
    return const_cast<void*>(static_cast<const volatile void*>(&f));
  }
  void run(std::int64_t tasks, Call call, void* context) noexcept;
  void run_job() noexcept;
  void divide(std::uint32_t tasks) noexcept;
  void take_tasks(int thread) noexcept;
  bool take_over(int thread, std::uint32_t& task) noexcept;
  bool join_job() noexcept;
  void wait_for_job(std::uint32_t seen) noexcept;
  void work(int thread) noexcept;
  void stop(int workers) noexcept;

  int threads_ = 1;
  std::pmr::memory_resource* memory_;
  std::byte* block_ = nullptr;  // stacks, then shares, then workers
  Share* shares_ = nullptr;
  Worker* workers_ = nullptr;
  std::atomic<bool> busy_{false};

  // What workers watch while they wait, and the job beside it; the job is written while no worker
  // is inside (gate_ == 0).
  alignas(64) std::atomic<std::uint32_t> epoch_{0};  // counts jobs; what workers sleep on
  std::atomic<bool> resting_{false};
  std::atomic<bool> stopping_{false};
  Call call_ = nullptr;
  void* context_ = nullptr;
  FloatMode mode_ = 0;      // the caller's, for all that work for it
  std::int64_t first_ = 0;  // the task that the shares count from

  static constexpr std::uint32_t kOpen = 0x80000000u;
  alignas(64) std::atomic<std::uint32_t> gate_{
      0};  // kOpen while a job may be joined + workers in it
  alignas(64) std::atomic<int> sleepers_{0};
};

}  // namespace skiff::cpu
