#pragma once

#include <memory_resource>
#include <optional>

#include "runtime/graph/fuse_chains.h"

namespace skiff {

/// Makes elementwise nodes and chains (graph/fuse_chains.h, which is called before) read and write
/// 8-bit integers as they are stored: what dequantizes their operands and quantizes their result
/// for them alone becomes part of them. All arguments: as in fuse_chains().
void fuse_quantized(const Graph& graph, std::optional<Graph>& own, Chains which,
                    std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
