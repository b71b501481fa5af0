#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/cuda/double/control.h"
#include "tests/cuda/emulation/fiber.h"

namespace cuda_emulation {

struct Warp;

/// A copy that arrives when its group is waited for.
struct AsyncCopy {
  void* to;
  const void* from;  ///< null: zeros
  std::size_t bytes;
  int group;
};

/// A thread of the block that runs. It takes a fiber only for as long as it is under way.
struct Thread {
  uint3 index{};
  unsigned linear = 0, lane = 0;
  unsigned exchanges = 0;  ///< how many warp exchanges it took part in
  Warp* warp = nullptr;
  Fiber* fiber = nullptr;
  bool done = false;
  const char* waits_at = "";
  std::vector<AsyncCopy> copies = {};  ///< that are under way, in order
  int copy_groups = 0;                 ///< how many it ended
};

inline constexpr unsigned kWarpSize = 32;
inline constexpr std::size_t kExchangeBytes = 24;

/// What the lanes of a warp hand to each other. Two rounds, since a lane may be in the next one
/// before another has read the last one's values.
struct Warp {
  struct Round {
    unsigned arrived = 0;
    unsigned char values[kWarpSize][kExchangeBytes];
    Thread* waiting[kWarpSize];
  };
  Round rounds[2];
};

/// One launch at a time: the block under way, its threads and their fibers.
class Block {
 public:
  using Body = void (*)(void** arguments);

  /// Runs every block of a grid; returns a cudaError_t and says in `error` what went wrong.
  int run_grid(cuda_double_dim grid, cuda_double_dim block, Body body, void** arguments,
               char* error, std::size_t error_size);

  void barrier();
  /// Every lane of `mask` gives a value and gets the one of lane `source`.
  template <typename T>
  T exchange(unsigned mask, T value, unsigned source, const char* where) {
    static_assert(sizeof(T) <= kExchangeBytes);
    T result;
    exchange_bytes(mask, &value, &result, sizeof(T), source, where);
    return result;
  }

  /// What all 32 lanes of the warp give, by lane; to be read before the next exchange.
  using Gathered = unsigned char[kWarpSize][kExchangeBytes];
  const Gathered& gather(const void* value, std::size_t bytes, const char* where) {
    return meet(~0u, value, bytes, where).values;
  }

  void copy_later(void* to, const void* from, std::size_t bytes, bool inside);
  void end_copy_group();
  void wait_copy_groups(int left);
  /// The launch fails with this text.
  void blame(const char* text) { fault_ = text; }

  uint3 block_index{};
  dim3 block_extent, grid_extent;
  Thread* current = nullptr;

 private:
  bool run_block(const uint3& index);
  /// Waits for all lanes of the mask, each of which leaves a value.
  Warp::Round& meet(unsigned mask, const void* value, std::size_t bytes, const char* where);
  void exchange_bytes(unsigned mask, const void* value, void* result, std::size_t bytes,
                      unsigned source, const char* where);
  static void fiber_entry();
  void start_threads();
  Fiber& next_fiber();
  void switch_to(Fiber& fiber);
  void wait(const char* where);
  void release(Thread& thread) { ready_.push_back(&thread); }
  void finish_barrier();
  unsigned thread_at(unsigned turn) const;

  int order_ = 0;
  Body body_ = nullptr;
  void** arguments_ = nullptr;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<Thread*> ready_;
  std::size_t next_ready_ = 0;
  std::vector<Thread*> at_barrier_;
  unsigned started_ = 0, running_ = 0;
  Fiber scheduler_;
  Fiber* on_ = &scheduler_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  std::string fault_;
};
Block& block();

}  // namespace cuda_emulation
