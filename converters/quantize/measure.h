#pragma once

#include "converters/ir/graph.h"
#include "converters/quantize/outcome.h"
#include "converters/quantize/samples.h"

namespace skiff::quantize {

/// Completes the outcome for the graph that the passes made of the calibrated one: which products
/// became integer, and how far what it computes is from what `floats` does.
void measure(Outcome& outcome, const ir::Graph& floats, const ir::Graph& integers,
             const Samples& samples, const Progress& progress);

}  // namespace skiff::quantize
