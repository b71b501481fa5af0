#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converters/dynamic/axes.h"
#include "converters/dynamic/fit.h"
#include "converters/dynamic/match.h"
#include "converters/ir/graph.h"

namespace skiff::dynamic {

constexpr std::size_t kSamples =
    7;                              ///< graphs for fitting, the one at the largest sizes among them
constexpr std::size_t kChecks = 3;  ///< further ones that only check

/// How far a window operator's result reaches: floor((input + add) / stride).
struct Window {
  std::size_t input = 0;  ///< slot of the extent it slides over
  std::int64_t add = 0, stride = 1;
};

/// Numbers of one place of the graph, one a sample.
struct Slot {
  Series numbers;
  std::string what;
  std::vector<Window> windows = {};  ///< formulas to try first
};

/// The graph at the largest sizes and every number of it that other sizes may change.
class Generaliser {
 public:
  Generaliser(ir::Graph base, std::vector<Bounds> bounds);

  /// The same model at other sizes. Throws as match().
  void add(const ir::Graph& other);
  /// One graph for all sizes. `choices` are the ones the graphs were made for, the largest first.
  /// Symbols that nodes set come behind those of the bounds; their SymbolT::node is a NodeId.
  ir::Graph finish(std::vector<Choice> choices);

 private:
  /// An operand of a node.
  struct Use {
    int graph = 0;  ///< 0: the main one; nested ones in the order of their nodes
    ir::NodeId node = -1;
    std::size_t input = 0;
    auto operator<=>(const Use&) const = default;
  };
  /// A graph of the base while its numbers are collected, and its form at other sizes.
  struct Pair {
    const ir::Graph& base;
    const ir::Graph& other;
    const Match* found;  ///< null: they are the same
    int number = 0;      ///< as Use::graph
  };

  void collect(const ir::Graph& graph, const Match* found);
  void collect_graph(const Pair& pair);
  void collect_node(const Pair& pair, ir::NodeId id);
  void collect_shape(const Pair& pair, ir::ValueId id);
  void put(std::int64_t number, const char* what, const std::string& name);
  void note_windows(const Pair& pair, const ir::Node& node);
  void note(const VaryingConstant& constant, int graph);
  ir::Graph& graph_at(int number);
  const ir::Value& operand(const Use& use);
  void fit(const std::vector<Choice>& choices);
  std::vector<Series> first_samples(std::vector<Series> all) const;
  void check(const Slot& slot, std::int64_t dim, const Fitter& fitter,
             const std::vector<Choice>& choices) const;
  template <typename Next>
  void set_dims(ir::Graph& graph, const Next& next);
  template <typename Next>
  void cut_constants(const Next& next);
  ir::ValueId cut(ir::Graph& graph, ir::ValueId whole, const std::vector<std::int64_t>& dims);
  void check_nested(const ir::Graph& graph) const;
  void declare_symbols();
  std::string free_name(const std::string& wanted) const;
  template <typename Visit>
  void each_counting(std::int64_t dim, const Visit& visit) const;
  void order_counts();
  void set_largest();

  ir::Graph base_;
  std::vector<Bounds> bounds_;
  std::vector<Slot> slots_;
  std::map<std::pair<int, ir::ValueId>, std::size_t> first_slot_;  // of a value's shape
  std::map<Use, std::vector<Series>> constants_;                   // a series an axis
  std::vector<std::pair<ir::NodeId, Series>> counts_;  // of nodes that count their results
  std::size_t samples_ = 0;
  std::size_t at_ = 0;  // the slot that comes next
  int graphs_ = 0;      // those that were walked before
  std::vector<std::int64_t> dims_;
};

}  // namespace skiff::dynamic
