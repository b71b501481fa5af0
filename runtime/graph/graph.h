#pragma once

#include <bit>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/core/tensor_info.h"
#include "runtime/graph/symbols.h"
#include "runtime/ops/op.h"

namespace skiff {

/// A value of a verified graph.
struct GraphValue {
  TensorInfo info;  ///< shape: for every symbol at its largest
  /// As stored, when an extent is an expression over the symbols; null: the shape is fixed.
  const flatbuffers::Vector<std::int64_t>* dims = nullptr;
  std::int64_t max_bytes = 0;  ///< no choice of the symbols needs more
  std::int32_t buffer = -1;    ///< index into the model's buffers: a constant
  std::int32_t producer = -1;  ///< node that writes it; -1: input or constant
  /// The value whose memory this one is: a body's input is its node's operand; -1: its own.
  std::int32_t alias = -1;
  bool is_input = false;  ///< external input of the model
  bool is_output = false;
};

/// A nested graph: nodes and values of the one flat Graph.
struct GraphBody {
  std::int32_t begin = 0, end = 0;  ///< its nodes, right behind the node it belongs to
  std::span<const std::int32_t> inputs, outputs;
};

/// A node of a verified graph: its rule accepted it.
struct GraphNode {
  const OpDef* def = nullptr;
  const void* attributes = nullptr;
  std::span<const std::int32_t> inputs;  ///< -1: absent
  std::span<const std::int32_t> outputs;
  std::string_view name;
  std::int32_t sets = -1;    ///< the symbol that is the number of its results; -1: none
  Symbols::Set follows = 0;  ///< symbols that nodes set which its shapes or attributes depend on
  /// Those of them that other nodes set: it cannot run before they are known.
  Symbols::Set waits_for() const noexcept {
    return sets < 0 ? follows : follows & ~Symbols::bit(sets);
  }
  std::int32_t index = -1;  ///< in the file, where a graph of fewer nodes is made of it
  std::span<const GraphBody> bodies = {};  ///< of control flow
  std::int32_t end = 0;                    ///< one past the last node of its bodies
  bool nested = false;                     ///< part of a body
};

/// What output computes is what input holds on the next run.
struct StateLink {
  std::int32_t output = -1, input = -1;
  std::int32_t initial_buffer = -1;  ///< -1: zeros
};

/// A value that lasts from run to run.
struct GraphVariable {
  std::int32_t value = -1;
  std::int32_t initial_buffer = -1;  ///< -1: zeros
};

/// Flat arrays, nodes in executable order. The nodes of nested graphs stand behind the node they
/// belong to, their values behind those of the main graph. Only model::verify makes one, so whoever
/// holds a Graph holds checked indices, shapes and attributes. Points into the model's metadata.
struct Graph {
  explicit Graph(std::pmr::memory_resource& memory)
      : values(&memory), nodes(&memory), states(&memory), variables(&memory) {}

  std::string_view name;
  std::pmr::vector<GraphValue> values;
  std::pmr::vector<GraphNode> nodes;
  std::span<const std::int32_t> inputs;
  std::span<const std::int32_t> outputs;
  std::pmr::vector<StateLink> states;
  std::pmr::vector<GraphVariable> variables;
  std::size_t main_values = 0;  ///< of graph 0 of the file: the first ones
  bool has_bodies = false;
  const Symbols* symbols = nullptr;  ///< every one at its largest; null: all shapes are fixed

  const GraphValue& value(std::int32_t id) const { return values[static_cast<std::size_t>(id)]; }
  /// Symbols that inputs' shapes set: Session::resize changes them.
  bool resizable() const noexcept {
    return symbols != nullptr &&
           std::popcount(symbols->counted()) < static_cast<int>(symbols->count());
  }
  /// The value whose memory holds this one; -1 stays -1.
  std::int32_t root(std::int32_t id) const noexcept {
    while (id >= 0 && value(id).alias >= 0) id = value(id).alias;
    return id;
  }
  /// Which symbol an axis of a value is, without any arithmetic; -1: it is fixed or computed.
  std::int32_t symbol_of(std::int32_t value, int axis) const noexcept;
};

/// NodeView::count for those values of the symbols.
std::int64_t count_of(const GraphNode& node, const Symbols* symbols) noexcept;
/// Values that are handed over between a node's bodies and the node.
inline std::size_t edges_of(const GraphNode& node) noexcept {
  std::size_t count = 0;
  for (const GraphBody& body : node.bodies) count += body.inputs.size() + body.outputs.size();
  return count;
}

/// A node's bodies as its rule sees them. `info(id)` gives a pointer to what is known of a value;
/// `views` has room for every body, `edges` for edges_of(node).
template <typename Info>
std::span<const BodyView> view_bodies(const GraphNode& node, BodyView* views,
                                      const TensorInfo** edges, const Info& info) noexcept {
  BodyView* view = views;
  const auto list = [&](std::span<const std::int32_t> ids) {
    const TensorInfo** begin = edges;
    for (std::int32_t id : ids) *edges++ = info(id);
    return std::span<const TensorInfo* const>(begin, ids.size());
  };
  for (const GraphBody& body : node.bodies) {
    view->inputs = list(body.inputs);
    view++->outputs = list(body.outputs);
  }
  return {views, node.bodies.size()};
}

/// A node as its rule and kernels see it, at the largest shapes; the operand pointers live in
/// `memory`.
NodeView view_of(const Graph& graph, const GraphNode& node, std::pmr::memory_resource& memory);

/// True when both have the same number of bytes for every choice of the symbols.
bool same_bytes(const GraphValue& a, const GraphValue& b) noexcept;

}  // namespace skiff
