#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/lower/bind.h"

namespace skiff {

/// The sizes that a run finds out itself: when a node has counted its results, what depends on
/// their number gets its shapes and, in its old place, a kernel for them. Allocates in its
/// constructor only. Points into the graph.
class Counts {
 public:
  /// `steps` are those of all nodes; views (Step::elided) will be left out.
  Counts(const Graph& graph, std::span<const Step> steps, std::pmr::memory_resource& memory);

  /// The node of that step counted. Throws Error{bad_value, invalid_argument, unsupported} that
  /// names the node which cannot work with so many, and std::bad_alloc; what follows may have no
  /// kernel then until the next run.
  void follow(const Step& counted, std::int64_t count, Shapes& shapes, KernelMaker& maker,
              std::span<Step> steps);
  /// A run came to its end.
  void end() noexcept { changed_ = 0; }
  /// Shapes or kernels are no longer what the last run made them.
  void forget() noexcept { known_ = 0; }

 private:
  /// What is made anew once the last of the counts it depends on is known.
  struct Follower {
    std::int32_t node = -1;
    std::int32_t step = -1;  ///< -1: only its results' shapes; it is a view, or what counted
  };

  void add(std::int32_t node, std::int32_t step, Symbols::Set follows);

  const Graph& graph_;
  std::pmr::vector<std::pmr::vector<Follower>> followers_;  // by symbol, in order of the nodes
  std::pmr::vector<Symbols::Set> interests_;                // what a symbol's followers depend on
  Symbols::Set known_ = 0;    // those whose followers were made for what was counted
  Symbols::Set changed_ = 0;  // since the last run that came to its end
};

}  // namespace skiff
