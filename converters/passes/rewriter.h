#pragma once

#include <optional>
#include <string>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::passes {

using ir::Graph;
using ir::kAbsent;
using ir::NodeId;
using ir::ValueId;

/// What a rewrite rule works with: the graph, who reads what, and the node it looks at. New nodes
/// go right before that node, so the graph stays in executable order; what becomes unused is
/// removed after the rule returns.
class Rewriter {
 public:
  explicit Rewriter(Graph& rewritten) : graph(rewritten) { refresh(); }

  Graph& graph;

  NodeId at() const noexcept { return at_; }
  const ir::Node& node() const { return graph.node(at_); }
  const ir::Node& node(NodeId id) const { return graph.node(id); }
  const Shape& shape(ValueId id) const { return graph.value(id).shape; }
  int rank(ValueId id) const { return shape(id).rank(); }
  bool is_constant(ValueId id) const {
    return id != kAbsent && graph.value(id).constant.has_value();
  }
  /// A value that is computed or fed at run time.
  bool is_dynamic(ValueId id) const { return id != kAbsent && !is_constant(id); }

  const std::vector<NodeId>& readers(ValueId id) const {
    return readers_[static_cast<std::size_t>(id)];
  }
  /// True when one node reads the value, once, and it is no output of the graph.
  bool single_use(ValueId id) const;
  /// The node of kind `op` that computes the value; null: another kind, an input or a constant.
  const ir::Node* producer(ValueId id, fb::OpKind op) const;
  const ir::Node* producer(ValueId id) const;

  /// Adds a node before the present one and returns its output, at once a constant when all
  /// operands are (and a kernel can compute it). It inherits the present node's source, for
  /// messages.
  ValueId add(fb::OpKind op, ir::Attributes attrs, std::vector<ValueId> inputs,
              const std::string& name);
  /// The same for nodes with several outputs.
  std::vector<ValueId> add_many(fb::OpKind op, ir::Attributes attrs, std::vector<ValueId> inputs,
                                const std::string& name, std::size_t outputs);
  /// Every reader of `from` reads `to` from now on; when `to` was added by this rule it takes the
  /// name of `from`.
  void replace(ValueId from, ValueId to);

  /// False when `from` must stay a value of its own: an output of the graph whose replacement is an
  /// input, a constant or another output.
  bool can_forward(ValueId from, ValueId to) const;

  /// Common small nodes; each returns its input where there is nothing to do.
  ValueId reshape(ValueId x, const Shape& to);
  ValueId transpose(ValueId x, const std::vector<int>& perm);
  ValueId binary(fb::BinaryFunction function, ValueId a, ValueId b);
  ValueId unary(fb::UnaryFunction function, ValueId x, float alpha = 0, float beta = 0);
  ValueId scalar(DType dtype, double number);

  /// Applies `rule` to each node in order until the end; true when one returned true.
  template <typename Rule>
  bool for_each(Rule rule) {
    bool changed = false;
    for (NodeId id : graph.order()) {
      if (graph.node(id).removed) continue;
      at_ = id;
      if (!rule(*this)) continue;
      changed = true;
      refresh();
    }
    if (graph.value_count() != known_values_) refresh();
    return changed;
  }

 private:
  std::vector<std::vector<NodeId>> readers_;
  NodeId at_ = -1;
  std::size_t known_values_ = 0;

  void refresh();
};

/// The number that every element of a constant equals; nothing for other values.
std::optional<double> uniform(const Graph& graph, ValueId id);

/// The attribute table of a node.
template <typename Table>
const Table& attrs(const ir::Node& node) {
  return node.attrs.get<Table>();
}

/// Input i, kAbsent where the node has none.
ValueId operand(const ir::Node& node, std::size_t i);

bool is_unary(const ir::Node* node, fb::UnaryFunction function);
bool is_binary(const ir::Node* node, fb::BinaryFunction function);
bool is_float(DType dtype) noexcept;

std::vector<std::int64_t> to_vector(const Shape& shape);
std::vector<std::int64_t> to_vector(const flatbuffers::Vector<std::int64_t>* field);

}  // namespace skiff::passes
