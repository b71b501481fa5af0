#pragma once

#include "converters/ir/graph.h"

namespace skiff::ir {

/// True for operators that count their results (runtime: OpDef::most): the size of what they give
/// depends on data. The graph's shapes assume a number, Node::count.
bool is_counting(const Node& node) noexcept;
bool has_counting(const Graph& graph);

/// How many results the node can have at most, for its operands' present shapes.
std::int64_t most_results(const Graph& graph, NodeId node);

/// To be called for a counting node that was just added, before anything reads it: assumes one of
/// several numbers of results, see Graph::assumption. Nodes that count the same have the same.
void assume_count(Graph& graph, NodeId node);

/// Assumptions 0 to kAssumptions - 1 are far from each other, where the node allows it; from
/// kAssumptions on they are close to the largest.
inline constexpr int kAssumptions = 64;

/// What an integer in [0, most] can be at most, where a minimum with a constant says so.
std::int64_t upper_bound(const Graph& graph, ValueId id, std::int64_t most);

}  // namespace skiff::ir
