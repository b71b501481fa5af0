#pragma once

#include "converters/ir/graph.h"

namespace skiff::passes {

/// Throws Error{internal} naming the node when the graph is not consistent: order, producers,
/// constants' sizes, and shapes and dtypes as the operators' own rules give them.
void check_graph(const ir::Graph& graph);

}  // namespace skiff::passes
