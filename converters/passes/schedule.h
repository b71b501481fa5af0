#pragma once

#include <cstdint>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::passes {

/// Most bytes of computed values that are live at once in this order, external inputs, outputs and
/// constants aside: what a perfect planner would need without scratch. Reshapes share their
/// operand's memory, and elementwise results take that of an operand that dies.
std::int64_t peak_bytes(const ir::Graph& graph, const std::vector<ir::NodeId>& order);

/// Orders the nodes so that fewer bytes are live at once; the order stays when none better is
/// found.
bool schedule(ir::Graph& graph);

}  // namespace skiff::passes
