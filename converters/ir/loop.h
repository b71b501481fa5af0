#pragma once

#include <optional>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::ir {

/// A loop before it becomes a node. Operands belong to the graph around it.
struct Loop {
  /// Inputs: number of the turn, condition, carried, captured. Outputs: condition, carried,
  /// collected.
  Graph body;
  std::vector<ValueId> carried, captured;
  std::optional<std::int64_t> trip_count = {};  ///< known: it turns no more often
  bool starts = false;                          ///< its condition is known to hold at first
};

/// How often a loop can turn.
struct Turns {
  std::int64_t most = 0;
  bool exact = false;  ///< it turns so often whatever the data
};

/// From a trip count that is known, or from a condition that compares a counter, which grows by a
/// constant on every turn, with a constant limit (and perhaps asks for more). Nothing when neither
/// is there.
std::optional<Turns> turns_of(const Graph& around, const Loop& loop);

/// What the body hands on unchanged is no longer carried but captured, or a constant of the body
/// where it is one; what it hands on at another place is copied. Returns the numbers, among those
/// before, of the values that are still carried.
std::vector<std::size_t> settle(const Graph& around, Loop& loop);

/// What a loop is as a node, but for the trip count and the condition before its inputs.
struct LoopNode {
  fb::LoopAttrsT attrs;
  std::vector<ValueId> inputs;
  std::vector<Graph> bodies;
  std::size_t outputs = 0;
};
/// A body that is known to go on for all turns need not say so.
LoopNode make_node(Loop loop, const Turns& turns);

/// What stands for the values that were carried before settle(), of which `kept` still are, and
/// for what is collected, when the node has these outputs.
std::vector<ValueId> results_of(const std::vector<ValueId>& before,
                                const std::vector<std::size_t>& kept,
                                const std::vector<ValueId>& outputs);

}  // namespace skiff::ir
