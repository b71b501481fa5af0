#include "converters/passes/passes.h"

#include <algorithm>

#include "converters/passes/check.h"
#include "converters/passes/nested.h"

namespace skiff::passes {
namespace {

bool run_one(ir::Graph& graph, const Pass& pass, const PipelineOptions& options,
             std::vector<std::string>& effective) {
  if (!pass.run(graph)) return false;
  if (options.check) check_graph(graph);
  if (options.observer) options.observer(pass.name, graph);
  if (std::find(effective.begin(), effective.end(), pass.name) == effective.end())
    effective.emplace_back(pass.name);
  return true;
}

}  // namespace

std::vector<std::string> run_pipeline(ir::Graph& graph, std::span<const Group> groups,
                                      const PipelineOptions& options) {
  std::vector<std::string> effective;
  if (options.check) check_graph(graph);
  if (options.observer) options.observer(options.start, graph);
  for (const Group& group : groups) {
    bool changed = true;
    for (int round = 0; changed && round < group.rounds; ++round) {
      changed = false;
      for (const Pass& pass : group.passes) changed |= run_one(graph, pass, options, effective);
    }
  }
  optimise_bodies(graph, groups, options, effective);
  return effective;
}

}  // namespace skiff::passes
