#pragma once

#include "runtime/model/checks.h"
#include "runtime/ops/control.h"

namespace skiff::model {

/// A value of the file, checked but for who defines it. `symbols`: of a model that has some.
GraphValue read_value(const fb::Model& model, const fb::Value& record, const Symbols* symbols);

/// The value that a variable is; `variable` gets the buffer it starts as.
GraphValue read_variable(const fb::Model& model, const fb::Variable& record, const Symbols* symbols,
                         GraphVariable& variable);

/// Walks the nodes in order and keeps note of which values exist at that point. Nested graphs are
/// walked where the node stands that they belong to.
class GraphBuilder {
 public:
  GraphBuilder(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory)
      : model_(model), graph_(graph), memory_(memory), defined_(&memory), used_(&memory) {}

  void build();

 private:
  void reserve();
  void read_values(const fb::Graph& record);
  void read_variables();
  void read_inputs(const fb::Graph& record);
  void read_outputs(const fb::Graph& record);

  GraphValue& at(std::int32_t id) { return graph_.values[static_cast<std::size_t>(id)]; }
  std::int32_t checked(std::int32_t id, std::string_view what) const;
  std::span<const std::int32_t> local(const flatbuffers::Vector<std::int32_t>* field,
                                      std::string_view what, std::int32_t extra = -1);
  void define(std::int32_t id, std::string_view what);

  void add_nodes(const fb::Graph& record);
  void add_node(const fb::Node& record, std::int32_t number);
  void read_node(const fb::Node& record, GraphNode& node);
  std::int32_t variable_of(const fb::Node& record) const;
  void seal(const GraphNode& node);
  void check_rule(const fb::Node& record, GraphNode& node);
  void check_outputs(std::span<const std::int32_t> outputs) const;

  // Sizes that nodes set.
  Symbols::Set counted_by(std::int32_t id) const;
  void find_count(GraphNode& node, std::int32_t number);
  void check_order(const GraphNode& node);

  // Nested graphs.
  std::span<const GraphBody> add_bodies(const fb::Node& record, const GraphNode& node);
  const fb::Graph& take_body(std::int32_t graph, const GraphNode& node);
  GraphBody add_body(const fb::Graph& record);
  void join(const GraphNode& node);
  void join_branches(const GraphNode& node);
  void join_loop(const GraphNode& node);

  const fb::Model& model_;
  Graph& graph_;
  std::pmr::memory_resource& memory_;
  std::pmr::vector<std::uint8_t> defined_;
  Symbols::Set counted_ = 0;             // set by the nodes so far
  Symbols::Set asked_ = 0;               // by attributes of the present node
  std::pmr::vector<std::uint8_t> used_;  // by graph of the file
  std::size_t base_ = 0, count_ = 0;     // of the values of the graph that is being walked
  int depth_ = 0;
  std::int32_t main_number_ = -1;  // of the node of graph 0 that is being walked
};

/// Loops inside of loops multiply: no node may turn more often than a model may say.
void check_turns(const Graph& graph);

}  // namespace skiff::model
