#pragma once

#include "runtime/graph/graph.h"

// What load-time rewrites that make one node of several have in common.
namespace skiff {

/// Values keep their numbers; `to` has no nodes yet. For graphs without bodies and variables.
void copy_all_but_nodes(const Graph& from, Graph& to);

/// Sets GraphValue::producer after nodes were exchanged.
void find_producers(Graph& graph);

}  // namespace skiff
