#pragma once

#include <cstddef>

namespace cuda_emulation {

/// A stack of its own to run threads of a block on. The switch saves what the ABI asks a callee to
/// save, no signal mask: some nanoseconds.
class Fiber {
 public:
  /// Runs `entry` at the first switch to it; it must never return.
  explicit Fiber(void (*entry)());
  /// The caller's own stack.
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Leaves `from`, which is running, for this one.
  void enter_from(Fiber& from);
  /// First thing a fresh fiber does, for the address sanitizer's sake.
  static void arrived();

 private:
  void* stack_pointer_ = nullptr;
  char* mapping_ = nullptr;  ///< a guard page, then the stack
  char* stack_ = nullptr;    ///< null: the stack of the thread
  void* sanitizer_state_ = nullptr;
};

}  // namespace cuda_emulation
