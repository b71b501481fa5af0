#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

// Simplifications that need no knowledge of layouts or kernels.

/// Nodes whose operands are all known are computed with the CPU kernels. Repetitions that would
/// make a file much larger stay (expand, tile), and so do nodes that give the graph's outputs.
bool fold_constants(Graph& graph);
/// Equal constants become one, and nodes with equal operators, attributes and operands.
bool deduplicate(Graph& graph);
/// Nodes that hand on their operand: casts, reshapes, slices, pads, products with 1, ...
bool remove_no_ops(Graph& graph);
/// Chains of reshapes, slices, casts, pads, clips and concats in one node; slices of concats that
/// fall on its operands; reshapes moved below the elementwise operators that read them.
bool merge_chains(Graph& graph);
/// Gathers with constant, evenly spaced indices become slices.
bool gathers_to_slices(Graph& graph);

}  // namespace skiff::passes
