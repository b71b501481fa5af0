#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

/// The first bytes, enough to tell most constants apart; equality looks at all.
std::string_view beginning(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 4096)};
}

bool same_constant(const ir::Value& a, const ir::Value& b) {
  return a.dtype == b.dtype && a.shape == b.shape && !a.quantization && !b.quantization &&
         *a.constant == *b.constant;
}

bool merge_constants(Graph& graph) {
  std::unordered_multimap<std::size_t, ValueId> seen;
  std::vector<ValueId> same(graph.value_count());
  bool changed = false;
  for (std::size_t i = 0; i < same.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    same[i] = id;
    const ir::Value& value = graph.value(id);
    if (!value.constant || graph.is_output(id)) continue;
    const std::size_t hash = std::hash<std::string_view>{}(beginning(*value.constant));
    const auto [first, last] = seen.equal_range(hash);
    for (auto it = first; it != last && same[i] == id; ++it)
      if (same_constant(graph.value(it->second), value)) same[i] = it->second;
    if (same[i] == id) seen.emplace(hash, id);
  }
  for (NodeId id : graph.order())
    for (ValueId& input : graph.node(id).inputs) {
      if (input == kAbsent || same[static_cast<std::size_t>(input)] == input) continue;
      input = same[static_cast<std::size_t>(input)];
      changed = true;
    }
  return changed;
}

bool repeatable(const ir::Node& node) {
  if (!node.bodies.empty()) return false;
  switch (node.op) {
    case fb::OpKind::read_variable:
    case fb::OpKind::assign_variable:
    case fb::OpKind::custom:
      return false;
    default:
      return true;
  }
}

bool same_node(const ir::Node& a, const ir::Node& b) {
  return a.op == b.op && a.inputs == b.inputs && a.outputs.size() == b.outputs.size() &&
         a.attrs == b.attrs && a.count == b.count;
}

bool merge_nodes(Graph& graph) {
  std::map<std::vector<ValueId>, std::vector<NodeId>> seen;
  bool changed = false;
  Rewriter rewriter(graph);
  for (NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    if (!repeatable(node)) continue;
    auto& candidates = seen[node.inputs];
    bool merged = false;
    for (NodeId other : candidates) {
      if (!same_node(graph.node(other), node)) continue;
      merged = true;
      for (std::size_t i = 0; i < node.outputs.size() && merged; ++i)
        merged = rewriter.can_forward(node.outputs[i], graph.node(other).outputs[i]);
      if (!merged) continue;
      for (std::size_t i = 0; i < node.outputs.size(); ++i)
        graph.replace_uses(node.outputs[i], graph.node(other).outputs[i]);
      break;
    }
    if (!merged) candidates.push_back(id);
    changed |= merged;
  }
  graph.remove_dead();
  graph.sort();
  return changed;
}

}  // namespace

bool deduplicate(Graph& graph) {
  const bool constants = merge_constants(graph);
  return merge_nodes(graph) || constants;
}

}  // namespace skiff::passes
