#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::passes {

/// One rewrite of the whole graph that keeps what it computes. run() returns whether it changed
/// anything; afterwards the graph is in executable order and without dead nodes.
struct Pass {
  const char* name;
  bool (*run)(ir::Graph&);
};

/// Passes that are run in order, again and again until none of them changes the graph (at most
/// `rounds` times).
struct Group {
  std::span<const Pass> passes;
  int rounds = 1;
};

/// Everything skiff-convert does between importer and writer, in order.
std::span<const Group> all_groups();
/// The same in two: up to where a graph of floats is done, and what looks for integers behind it.
std::span<const Group> float_groups();
std::span<const Group> integer_groups();

/// Called before the first pass and after every pass that changed the graph.
using Observer = std::function<void(const std::string& pass, const ir::Graph&)>;

struct PipelineOptions {
  Observer observer = {};
  const char* start = "import";  ///< what the observer is told before the first pass
  bool check = false;            ///< invariants after each pass; a violation throws Error{internal}
};

/// Runs the groups. Returns the names of the passes that changed something, once each, in order of
/// their first change.
std::vector<std::string> run_pipeline(ir::Graph& graph, std::span<const Group> groups,
                                      const PipelineOptions& options = {});

}  // namespace skiff::passes
