#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converters/ir/attributes.h"
#include "runtime/ops/op.h"

namespace skiff::ir {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
inline constexpr ValueId kAbsent = -1;

/// A value of the graph: an external input, a constant, or an output of one node.
struct Value {
  std::string name;
  DType dtype = DType::none;
  Shape shape;
  std::optional<std::vector<std::byte>> constant = {};  ///< dense bytes in host order
  std::optional<fb::QuantizationT> quantization = {};
  NodeId producer = -1;  ///< -1: input or constant
  /// In a graph with symbols: the extents as the schema has them, negative ones stand for
  /// Graph::expressions; `shape` is the largest. Empty: fixed.
  std::vector<std::int64_t> dims = {};
};

class Graph;

struct Node {
  fb::OpKind op = fb::OpKind::none;
  Attributes attrs;
  std::vector<ValueId> inputs;  ///< kAbsent: optional and absent
  std::vector<ValueId> outputs;
  std::string name;
  std::string source;  ///< what it came from, for messages: "Conv 'conv1' (ONNX)"
  bool removed = false;
  /// Of an operator that counts its results: how many the shapes assume (ir/counts.h); -1: all.
  std::int64_t count = -1;
  /// Of control flow: the nested graphs, as LoopAttrs and IfAttrs in the schema order their values.
  /// The attributes' graph numbers are the writer's.
  std::vector<Graph> bodies;
};

/// What lasts from run to run.
struct Variable {
  std::string name;
  std::vector<std::byte> initial;  ///< dense bytes; empty: zeros
};

/// The converters' graph, on the operators of runtime/ops. Ids are stable: values and nodes are
/// only added or marked removed; compact() drops what is dead. Shapes are inferred by the
/// operators' own rules when a node is added, so a graph is consistent at every moment.
class Graph {
 public:
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  /// The last inputs hold what the variables are before a run, the last outputs, in the same order,
  /// what they are behind it: users see neither.
  std::vector<Variable> variables;
  /// Set in the last step of a conversion with bounds: such a graph is only written.
  std::vector<fb::SymbolT> symbols;
  std::vector<fb::DimExprT> expressions;
  /// Which of several numbers of results is assumed of nodes that count theirs; see ir/counts.h.
  int assumption = 0;

  ValueId add_input(std::string name, DType dtype, const Shape& shape);
  ValueId add_constant(std::string name, DType dtype, const Shape& shape,
                       std::vector<std::byte> bytes);
  /// A constant of numbers that are converted to dtype's C++ type T.
  template <typename T>
  ValueId add_constant(std::string name, const Shape& shape, std::span<const T> numbers);

  /// Appends a node; its outputs are made and inferred. Throws what the rule throws. `output_names`
  /// may be shorter than `output_count`; missing names are made from the node's.
  NodeId add_node(fb::OpKind op, Attributes attrs, std::vector<ValueId> inputs, std::string name,
                  std::size_t output_count = 1, std::span<const std::string> output_names = {},
                  std::vector<Graph> bodies = {});
  /// The same for the common case of one output, which it returns.
  ValueId add(fb::OpKind op, Attributes attrs, std::vector<ValueId> inputs, std::string name);
  /// Puts the node before `position` in the order instead of at the end.
  NodeId insert_node(std::size_t position, fb::OpKind op, Attributes attrs,
                     std::vector<ValueId> inputs, std::string name);

  /// Runs the node's rule again after its attributes or inputs changed; true when an output's shape
  /// or dtype changed.
  bool reinfer(NodeId node);

  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id)]; }
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  Node& node(NodeId id) { return nodes_[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  std::size_t value_count() const noexcept { return values_.size(); }
  std::size_t node_count() const noexcept { return nodes_.size(); }

  /// Ids of the nodes that are not removed, in executable order.
  std::vector<NodeId> order() const;
  /// For each value the nodes that read it (once a use), by value id. Recomputed at each call.
  std::vector<std::vector<NodeId>> users() const;
  bool is_output(ValueId id) const;
  /// Inputs and outputs without those of variables.
  std::span<const ValueId> visible_inputs() const {
    return std::span(inputs).first(inputs.size() - variables.size());
  }
  std::span<const ValueId> visible_outputs() const {
    return std::span(outputs).first(outputs.size() - variables.size());
  }

  /// Every reader of `from` (and the graph's outputs) reads `to` instead. When `from` is an output
  /// of the graph, `to` takes its name.
  void replace_uses(ValueId from, ValueId to);
  /// Marks the node removed; its outputs must have no readers left.
  void remove(NodeId node);
  /// Removes nodes nothing depends on. Returns how many.
  std::size_t remove_dead();
  /// Restores executable order after insertions (stable topological sort). Of each pair in `also`
  /// the first node comes before the second.
  void sort(std::span<const std::pair<NodeId, NodeId>> also = {});
  /// Takes `order`, which names the nodes that are not removed in another executable order.
  void reorder(std::vector<NodeId> order) { order_ = std::move(order); }

  /// The node as rules see it. `storage` holds what the view points to and must outlive it.
  struct ViewStorage {
    std::vector<TensorInfo> infos;
    std::vector<const TensorInfo*> inputs;
    std::vector<flatbuffers::DetachedBuffer> quantization;
    std::vector<std::vector<TensorInfo>> edges;
    std::vector<std::vector<const TensorInfo*>> edge_list;
    std::vector<BodyView> bodies;
  };
  NodeView view(NodeId node, ViewStorage& storage) const;
  /// Without its quantization.
  TensorInfo info(ValueId id) const;
  /// With it, as long as `storage` lives.
  TensorInfo info(ValueId id, ViewStorage& storage) const;

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<NodeId> order_;

  void view_bodies(const Node& node, ViewStorage& storage) const;
  void infer_into(NodeId node, std::vector<TensorInfo>& outputs) const;
};

/// Numbers of a constant, converted from whatever dtype it has. Throws Error{invalid_model} when
/// the value is not constant or a float where integers are asked for is not a whole number.
std::vector<std::int64_t> integers(const Value& value);
std::vector<double> numbers(const Value& value);
/// Those of a float32 constant, where they lie.
std::span<const float> floats_of(const Value& value);

template <typename T>
std::vector<std::byte> bytes_of(std::span<const T> numbers) {
  const auto bytes = std::as_bytes(numbers);
  return {bytes.begin(), bytes.end()};
}

template <typename T>
ValueId Graph::add_constant(std::string constant_name, const Shape& shape,
                            std::span<const T> numbers) {
  return add_constant(std::move(constant_name), dtype_of<T>(), shape, bytes_of(numbers));
}

}  // namespace skiff::ir
