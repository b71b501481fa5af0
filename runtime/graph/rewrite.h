#pragma once

#include "runtime/graph/graph.h"

// What load-time rewrites have in common.
namespace skiff {

/// Everything of a graph without bodies; `to` is empty. It points into what `from` points into.
void copy(const Graph& from, Graph& to);

/// True when both have the same shape for every choice of the symbols.
bool same_shape(const GraphValue& a, const GraphValue& b) noexcept;

/// Sets GraphValue::producer after nodes were exchanged.
void find_producers(Graph& graph);

}  // namespace skiff
