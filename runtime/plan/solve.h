#pragma once

#include <cstdint>
#include <memory_resource>

#include "runtime/plan/problem.h"

namespace skiff::plan {

struct Options {
  /// Placements the exact search may try, over all rounds; 0: greedy only. A placement takes about
  /// a microsecond. The default is for loading; a converter can afford millions.
  std::int64_t node_limit = 5'000;
};

/// Plans: greedy portfolio, and where that does not reach the lower bound (or the capacity),
/// rounds of exact search with growing limits over a sweep of capacities. Deterministic.
/// With a capacity it stops at the first packing that fits (`fits`) or a proof that none does
/// (`infeasible`); the solution found is then still the best one.
/// The offsets take their memory from `resource`, all else from `scratch`.
/// Throws Error{invalid_argument} for a problem that makes no sense (see lower_bound).
Solution solve(const Problem& problem, const Options& options, std::pmr::memory_resource& resource,
               std::pmr::memory_resource& scratch);

/// The same with all memory from `resource`.
Solution solve(const Problem& problem, const Options& options, std::pmr::memory_resource& resource);

/// A packing of at most `capacity` bytes; look at `fits`.
Solution solve_at(const Problem& problem, std::int64_t capacity, const Options& options,
                  std::pmr::memory_resource& resource);

}  // namespace skiff::plan
