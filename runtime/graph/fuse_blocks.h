#pragma once

#include <skiff/options.h>

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

namespace skiff {

/// The graph with neighbouring convolutions made into block nodes (ops/conv_block.h), whose
/// intermediate results no step writes any more; nothing when there are none to make. Values keep
/// their numbers; a block stands where its last node stood. For the CPU only: other devices know no
/// such operator. What is worth it depends on the number of threads, a result never does; and on
/// whether there are products with sums in float16 (`halves`), which blocks do without. The result
/// points into `graph` and `memory`.
std::optional<Graph> fuse_blocks(const Graph& graph, Fuse fuse, int threads, bool halves,
                                 std::pmr::memory_resource& memory,
                                 std::pmr::memory_resource& scratch);

}  // namespace skiff
