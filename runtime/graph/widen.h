#pragma once

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

namespace skiff {

/// The graph as the CPU computes it: float16 and bfloat16 between external inputs and outputs
/// become float32 (TensorInfo::stored says what a constant's bytes are), casts between them fall
/// away. Values keep their numbers, nodes their GraphNode::index. Nothing when there is no such
/// value, when graphs nest, when an external one or a variable is 16 bits wide too (the file asks
/// for that arithmetic) or when an operator's rule says no. The result lives in `memory`, `scratch`
/// serves during the call.
std::optional<Graph> widen(const Graph& graph, std::pmr::memory_resource& memory,
                           std::pmr::memory_resource& scratch);

}  // namespace skiff
