#pragma once

#include "converters/passes/passes.h"

namespace skiff::passes {

/// Runs the pipeline on the nested graphs of every node: constants that a body captures become its
/// own first, what it no longer captures is not handed in. The passes that changed something are
/// added to `effective`.
void optimise_bodies(ir::Graph& graph, std::span<const Group> groups,
                     const PipelineOptions& options, std::vector<std::string>& effective);

}  // namespace skiff::passes
