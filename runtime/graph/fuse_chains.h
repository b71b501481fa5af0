#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"
#include "runtime/ops/pointwise_chain.h"

namespace skiff {

/// Which chains are made: a GPU, where every launch costs microseconds, gains by all of them; the
/// CPU by those whose rows are long enough for its row functions (PointwiseChain::kLongRow).
enum class Chains : std::uint8_t { all, of_long_rows };

/// The step that a node of a graph would be, operands not set; false when it cannot be one.
bool read_chain_step(const Graph& graph, const GraphNode& node, PointwiseChain::Step& step,
                     std::pmr::memory_resource& scratch);

/// Makes one node of neighbouring elementwise ones (ops/pointwise_chain.h), whose intermediate
/// results no step writes any more. Values keep their numbers; a chain stands where its last node
/// stood, with nothing but elementwise nodes in between. What is rewritten is `own`, a graph made
/// of `graph` before; where that is empty and there are chains to make, it becomes a copy of
/// `graph`. It points into `graph` and `memory`.
void fuse_chains(const Graph& graph, std::optional<Graph>& own, Chains which,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
