#pragma once

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

namespace skiff {

/// Makes one node of those that weigh an image's channels by a look at all of it
/// (ops/squeeze_excite.h), for a GPU, where each of them costs a launch that computes next to
/// nothing. Values keep their numbers; the new node stands where its last one stood. `own`: see
/// fuse_chains(), which is called behind this.
void fuse_squeeze_excite(const Graph& graph, std::optional<Graph>& own,
                         std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
