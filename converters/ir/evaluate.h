#pragma once

#include "converters/ir/graph.h"

namespace skiff::ir {

/// Computes a node whose inputs are all constants with its CPU kernel: its outputs become constants
/// and the node is removed. False, and nothing changed, when an input is not constant, a result is
/// data-dependent in size, or no kernel can do it (missing operator or dtype, a bad value).
/// Runs on one thread with this machine's best instruction set.
bool evaluate(Graph& graph, NodeId node);

}  // namespace skiff::ir
