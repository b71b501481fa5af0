#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/kernel.h"

namespace skiff {

/// Calls f(begin, end) for consecutive pieces of [0, count), each of `grain` items (the last may be
/// shorter), on the threads of args.pool. Pieces depend on count and grain alone, never on threads.
template <typename F>
void parallel_chunks(const RunArgs& args, std::int64_t count, std::int64_t grain, F&& f) noexcept {
  args.pool.parallel_for((count + grain - 1) / grain, [&](std::int64_t piece) {
    f(piece * grain, std::min(count, (piece + 1) * grain));
  });
}

/// Items a piece when each costs about `cost` simple operations: pieces are worth a hand-over.
inline std::int64_t grain_for(std::int64_t cost) noexcept {
  constexpr std::int64_t kOperationsPerPiece = 16384;
  return std::max<std::int64_t>(1, kOperationsPerPiece / std::max<std::int64_t>(1, cost));
}

/// What moving so many bytes as one costs there: a piece is about 64 KiB, so that threads keep to
/// what they wrote.
inline std::int64_t copy_cost(std::int64_t bytes) noexcept { return 1 + bytes / 4; }

}  // namespace skiff
