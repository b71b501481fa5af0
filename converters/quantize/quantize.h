#pragma once

#include <functional>
#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/passes/passes.h"
#include "converters/quantize/outcome.h"
#include "converters/quantize/samples.h"

// --int8 --calibrate: quantisation after training. Ranges come from samples; weights are rounded;
// products then stand between pairs of operators that make integers of floats and floats of
// integers, which a later pass joins to products of integers.
namespace skiff::quantize {

/// Told the graph of floats that is quantised next.
using FloatsDone = std::function<void(const ir::Graph& floats)>;

/// Runs all passes on an imported graph of fixed sizes and quantises it on the way, where the graph
/// of floats is done. Returns the names of the passes that changed something. Throws what
/// calibrate() throws.
std::vector<std::string> run_pipeline(ir::Graph& graph, const Samples& samples,
                                      passes::PipelineOptions options, const Progress& progress,
                                      const FloatsDone& floats_done, Outcome& outcome);

}  // namespace skiff::quantize
