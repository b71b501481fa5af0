#pragma once

#include <pthread.h>

#include <cstddef>
#include <span>

namespace skiff::platform {

/// Bytes a thread's stack needs: kThreadStackBytes for its calls and what the C library takes from
/// the top of it (thread-local variables and its own record). A multiple of the page size; the same
/// for the life of a process that opens no further libraries.
std::size_t thread_stack_bytes() noexcept;
inline constexpr std::size_t kThreadStackBytes = std::size_t{256} << 10;
inline constexpr std::size_t kThreadStackAlignment = 4096;

/// Bytes the C library requests from malloc for every running thread, besides the stack: the table
/// that leads to thread-local variables. Exact for glibc (a test counts it).
std::size_t thread_overhead_bytes() noexcept;

/// A thread on memory of the caller, so that all of it can be accounted for. There is no guard page
/// below the stack.
class Thread {
 public:
  struct Options {
    const char* name = nullptr;  ///< at most 15 characters are shown by the system
    int cpu = -1;                ///< the only CPU to run on; -1: any. Ignored where not allowed
  };

  /// Starts `entry(argument)`. `stack` must have thread_stack_bytes() bytes, aligned to
  /// kThreadStackAlignment, and outlive the thread. Throws Error{out_of_memory} or
  /// Error{invalid_argument}.
  Thread(std::span<std::byte> stack, void (*entry)(void*), void* argument, const Options& options);
  Thread(std::span<std::byte> stack, void (*entry)(void*), void* argument)
      : Thread(stack, entry, argument, Options{}) {}
  ~Thread() { join(); }
  Thread(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// Waits for the end of the thread; a second call does nothing.
  void join() noexcept;

 private:
  struct Start {
    void (*entry)(void*);
    void* argument;
  };
  static void* run(void* start) noexcept;

  pthread_t thread_{};
  bool joinable_ = false;
};

}  // namespace skiff::platform
