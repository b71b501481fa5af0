#pragma once

#include <skiff/options.h>

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

namespace skiff {

namespace cpu {
struct KernelTable;
}

/// The graph with neighbouring convolutions made into block nodes (ops/conv_block.h), whose
/// intermediate results no step writes any more; nothing when there are none to make. Values keep
/// their numbers; a block stands where its last node stood. For the CPU only: other devices know no
/// such operator. What is worth it depends on the number of threads, a result never does:
/// convolutions that are summed in float16 (ops/half_product.h) are no parts of blocks. The result
/// points into `graph` and `memory`.
std::optional<Graph> fuse_blocks(const Graph& graph, Fuse fuse, int threads,
                                 const cpu::KernelTable& table, std::pmr::memory_resource& memory,
                                 std::pmr::memory_resource& scratch);

}  // namespace skiff
