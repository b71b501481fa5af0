#include "tests/cuda/emulation/block.h"

#include <cstdio>
#include <cstdlib>

namespace cuda_emulation {
namespace {

constexpr int kLaunchFailure = 719;  // cudaErrorLaunchFailure

/// In which order the threads of a block start: 0 ascending, 1 descending, 2 scattered. A missing
/// barrier shows in some of them only.
int thread_order() {
  const char* text = std::getenv("SKIFF_THREAD_ORDER");
  return text == nullptr ? 0 : std::atoi(text);
}

}  // namespace

Block& block() {
  static Block* const one = new Block;  // stacks that a deadlock left behind are never unwound
  return *one;
}

unsigned Block::thread_at(unsigned turn) const {
  const auto count = static_cast<unsigned>(threads_.size());
  if (order_ == 0) return turn;
  if (order_ == 1) return count - 1 - turn;
  // An odd step visits every number below a power of two; the rest of a block goes backwards.
  constexpr unsigned kStep = 167, kStart = 13;
  return (count & (count - 1)) == 0 ? (turn * kStep + kStart) & (count - 1) : count - 1 - turn;
}

void Block::switch_to(Fiber& fiber) {
  Fiber& from = *on_;
  on_ = &fiber;
  fiber.enter_from(from);
}

/// Who goes on: threads that have not begun, then those that were released, then the scheduler.
Fiber& Block::next_fiber() {
  if (started_ < threads_.size()) {
    if (idle_.empty()) {
      fibers_.push_back(std::make_unique<Fiber>(&Block::fiber_entry));
      return *fibers_.back();
    }
    Fiber* const fiber = idle_.back();
    idle_.pop_back();
    return *fiber;
  }
  if (next_ready_ < ready_.size()) return *ready_[next_ready_++]->fiber;
  return scheduler_;
}

void Block::fiber_entry() {
  Fiber::arrived();
  for (;;) block().start_threads();
}

/// Begins threads on this fiber until all have begun. One that waits takes the fiber with it and
/// the others go on with a next one.
void Block::start_threads() {
  Fiber* const own = on_;
  while (started_ < threads_.size()) {
    Thread& thread = threads_[thread_at(started_++)];
    thread.fiber = own;
    current = &thread;
    body_(arguments_);
    thread.done = true;
    --running_;
    if (!at_barrier_.empty() && at_barrier_.size() == running_) finish_barrier();
  }
  idle_.push_back(own);
  switch_to(next_fiber());
}

void Block::wait(const char* where) {
  Thread* const me = current;
  me->waits_at = where;
  switch_to(next_fiber());
  current = me;
}

void Block::barrier() {
  if (at_barrier_.size() + 1 == running_) return finish_barrier();
  at_barrier_.push_back(current);
  wait("__syncthreads");
}

void Block::finish_barrier() {
  for (Thread* thread : at_barrier_) release(*thread);
  at_barrier_.clear();
}

void Block::copy_later(void* to, const void* from, std::size_t bytes, bool inside) {
  const auto misaligned = [bytes](const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % bytes != 0;
  };
  if (misaligned(to) || (inside && misaligned(from))) {
    blame("cp.async: an address is not aligned to the bytes that are copied");
    return;
  }
  std::memset(to, 0xff, bytes);
  current->copies.push_back({to, inside ? from : nullptr, bytes, current->copy_groups});
}

void Block::end_copy_group() { ++current->copy_groups; }

void Block::wait_copy_groups(int left) {
  std::vector<AsyncCopy>& copies = current->copies;
  std::size_t arrived = 0;
  for (; arrived < copies.size() && copies[arrived].group < current->copy_groups - left;
       ++arrived) {
    const AsyncCopy& copy = copies[arrived];
    if (copy.from == nullptr)
      std::memset(copy.to, 0, copy.bytes);
    else
      std::memcpy(copy.to, copy.from, copy.bytes);
  }
  copies.erase(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(arrived));
}

Warp::Round& Block::meet(unsigned mask, const void* value, std::size_t bytes, const char* where) {
  Thread& me = *current;
  Warp::Round& round = me.warp->rounds[me.exchanges++ & 1u];
  if ((mask >> me.lane & 1u) == 0) fault_ = std::string(where) + ": the caller is not in the mask";
  std::memcpy(round.values[me.lane], value, bytes);
  round.arrived |= 1u << me.lane;
  round.waiting[me.lane] = &me;
  if ((round.arrived & mask) == mask) {
    round.arrived &= ~mask;
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      if ((mask >> lane & 1u) != 0 && lane != me.lane) release(*round.waiting[lane]);
  } else {
    wait(where);
  }
  return round;
}

void Block::exchange_bytes(unsigned mask, const void* value, void* result, std::size_t bytes,
                           unsigned source, const char* where) {
  const Thread& me = *current;
  const Warp::Round& round = meet(mask, value, bytes, where);
  if ((mask >> source & 1u) == 0) {
    fault_ = std::string(where) + ": the source lane is not in the mask";
    source = me.lane;
  }
  std::memcpy(result, round.values[source], bytes);
}

bool Block::run_block(const uint3& index) {
  block_index = index;
  started_ = 0;
  running_ = static_cast<unsigned>(threads_.size());
  ready_.clear();
  next_ready_ = 0;
  at_barrier_.clear();
  fault_.clear();
  for (Thread& thread : threads_) {
    thread.done = false;
    thread.exchanges = 0;
    thread.copies.clear();
    thread.copy_groups = 0;
  }
  for (Warp& warp : warps_) warp.rounds[0].arrived = warp.rounds[1].arrived = 0;
  switch_to(next_fiber());
  if (!fault_.empty() || running_ == 0) return fault_.empty();
  const Thread* first = nullptr;
  for (const Thread& thread : threads_)
    if (!thread.done && first == nullptr) first = &thread;
  fault_ = std::to_string(running_) + " of " + std::to_string(threads_.size()) +
           " threads wait for ever, the first is thread " + std::to_string(first->linear) + " at " +
           first->waits_at;
  idle_.clear();  // the fibers of waiting threads are abandoned
  return false;
}

int Block::run_grid(cuda_double_dim grid, cuda_double_dim extent, Body body, void** arguments,
                    char* error, std::size_t error_size) {
  grid_extent = dim3(grid.x, grid.y, grid.z);
  block_extent = dim3(extent.x, extent.y, extent.z);
  order_ = thread_order();
  body_ = body;
  arguments_ = arguments;
  const unsigned count = extent.x * extent.y * extent.z;
  threads_.resize(count);
  warps_.resize((count + kWarpSize - 1) / kWarpSize);
  for (unsigned i = 0; i < count; ++i) {
    Thread& thread = threads_[i];
    thread.index = {i % extent.x, i / extent.x % extent.y, i / extent.x / extent.y};
    thread.linear = i;
    thread.lane = i % kWarpSize;
    thread.warp = &warps_[i / kWarpSize];
  }
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x)
        if (!run_block({x, y, z})) {
          std::snprintf(error, error_size, "block (%u, %u, %u): %s", x, y, z, fault_.c_str());
          return kLaunchFailure;
        }
  return 0;
}

}  // namespace cuda_emulation
