#pragma once

#include "converters/ir/graph.h"
#include "converters/quantize/outcome.h"
#include "converters/quantize/samples.h"

namespace skiff::quantize {

/// Quantises a graph of floats with fixed sizes, epilogues fused. It is computed for each sample;
/// the distribution of every value that a product with constant weights reads gives the value's
/// scale (best_scale). Throws what Samples::for_each() throws, and Error{unsupported} naming a node
/// that cannot be computed.
Outcome calibrate(ir::Graph& graph, const Samples& samples, const Progress& progress);

}  // namespace skiff::quantize
