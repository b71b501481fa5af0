#include "converters/passes/schedule.h"

#include <algorithm>
#include <limits>

namespace skiff::passes {
namespace {

using ir::NodeId;
using ir::ValueId;

/// Live bytes while nodes are executed one after another.
class Memory {
 public:
  explicit Memory(const ir::Graph& graph) : graph_(graph) {
    root_.resize(graph.value_count());
    uses_.resize(graph.value_count(), 0);
    bytes_.resize(graph.value_count(), 0);
    for (std::size_t i = 0; i < root_.size(); ++i) root_[i] = static_cast<ValueId>(i);
    for (NodeId id : graph.order()) add(graph.node(id));
    for (ValueId output : graph.outputs) at(bytes_, root(output)) = 0;
  }

  /// Bytes that running the node now adds; below zero when it frees more than it needs.
  std::int64_t growth(NodeId id) const { return born(id) - dying(id); }

  void run(NodeId id) {
    const std::int64_t in_place =
        can_overwrite(graph_.node(id)) ? std::min(born(id), dying(id)) : 0;
    peak_ = std::max(peak_, live_ + born(id) - in_place);
    live_ += growth(id);
    for (ValueId input : graph_.node(id).inputs)
      if (counts(input)) --at(uses_, root(input));
  }
  std::int64_t peak() const { return peak_; }

 private:
  const ir::Graph& graph_;
  std::vector<ValueId> root_;        // the value whose memory this one shares
  std::vector<std::int64_t> uses_;   // reads to come, by root
  std::vector<std::int64_t> bytes_;  // by root; 0 for what is no part of the arena
  std::int64_t live_ = 0;
  std::int64_t peak_ = 0;

  template <typename T>
  static T& at(std::vector<T>& list, ValueId id) {
    return list[static_cast<std::size_t>(id)];
  }
  template <typename T>
  static const T& at(const std::vector<T>& list, ValueId id) {
    return list[static_cast<std::size_t>(id)];
  }

  ValueId root(ValueId id) const { return at(root_, id); }
  bool counts(ValueId id) const {
    return id != ir::kAbsent && graph_.value(root(id)).producer >= 0;
  }

  static bool shares(const ir::Node& node) {
    return node.op == fb::OpKind::reshape || node.op == fb::OpKind::identity;
  }
  static bool can_overwrite(const ir::Node& node) {
    return node.op == fb::OpKind::unary || node.op == fb::OpKind::binary ||
           (node.op == fb::OpKind::conv && node.inputs.size() > 3);
  }

  void add(const ir::Node& node) {
    for (ValueId input : node.inputs)
      if (counts(input)) ++at(uses_, root(input));
    for (ValueId output : node.outputs) {
      if (shares(node))
        at(root_, output) = root(node.inputs[0]);
      else
        at(bytes_, output) = (graph_.info(output).bytes() + 63) / 64 * 64;
    }
  }

  std::int64_t born(NodeId id) const {
    std::int64_t sum = 0;
    for (ValueId output : graph_.node(id).outputs)
      if (root(output) == output) sum += at(bytes_, output);
    return sum;
  }
  std::int64_t dying(NodeId id) const {
    const auto& inputs = graph_.node(id).inputs;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!counts(inputs[i])) continue;
      const ValueId read = root(inputs[i]);
      std::int64_t reads = 0;
      bool first = true;
      for (std::size_t j = 0; j < inputs.size(); ++j) {
        if (!counts(inputs[j]) || root(inputs[j]) != read) continue;
        ++reads;
        first = first && j >= i;
      }
      // A result that only shares this memory keeps it alive through its own readers.
      if (first && at(uses_, read) == reads) sum += at(bytes_, read);
    }
    return sum;
  }
};

/// Always the node that is ready and adds least, the earliest of equals.
std::vector<NodeId> greedy_order(const ir::Graph& graph) {
  const std::vector<NodeId> order = graph.order();
  std::vector<std::size_t> waiting(graph.node_count(), 0);
  const auto readers = graph.users();
  for (NodeId id : order)
    for (ValueId input : graph.node(id).inputs)
      if (input != ir::kAbsent && graph.value(input).producer >= 0)
        ++waiting[static_cast<std::size_t>(id)];
  std::vector<char> done(graph.node_count(), 0);
  Memory memory(graph);
  std::vector<NodeId> result;
  while (result.size() < order.size()) {
    NodeId best = -1;
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (NodeId id : order) {
      const auto i = static_cast<std::size_t>(id);
      if (done[i] != 0 || waiting[i] != 0 || memory.growth(id) >= least) continue;
      least = memory.growth(id);
      best = id;
    }
    if (best < 0) return order;
    done[static_cast<std::size_t>(best)] = 1;
    memory.run(best);
    result.push_back(best);
    for (ValueId output : graph.node(best).outputs)
      for (NodeId reader : readers[static_cast<std::size_t>(output)])
        --waiting[static_cast<std::size_t>(reader)];
  }
  return result;
}

}  // namespace

std::int64_t peak_bytes(const ir::Graph& graph, const std::vector<NodeId>& order) {
  Memory memory(graph);
  for (NodeId id : order) memory.run(id);
  return memory.peak();
}

bool schedule(ir::Graph& graph) {
  const std::vector<NodeId> order = graph.order();
  std::vector<NodeId> other = greedy_order(graph);
  if (peak_bytes(graph, other) >= peak_bytes(graph, order)) return false;
  graph.reorder(std::move(other));
  return true;
}

}  // namespace skiff::passes
