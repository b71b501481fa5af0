#include "converters/passes/nested.h"

#include <algorithm>

namespace skiff::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

/// The operands behind these are captured.
std::size_t first_captured(const Node& node) {
  if (node.op == fb::OpKind::if_else) return 1;
  return node.inputs.size() - static_cast<std::size_t>(node.attrs.get<fb::LoopAttrs>().captures());
}

bool is_read(const Graph& body, ValueId id) {
  if (body.is_output(id)) return true;
  for (NodeId node : body.order()) {
    const auto& inputs = body.node(node).inputs;
    if (std::find(inputs.begin(), inputs.end(), id) != inputs.end()) return true;
  }
  return false;
}

/// Drops captured operands that are constants, which the bodies then hold, or that none reads.
void drop_captures(Graph& graph, NodeId id) {
  Node& node = graph.node(id);
  const std::size_t first = first_captured(node);
  for (std::size_t i = node.inputs.size(); i-- > first;) {
    const auto& constant = graph.value(node.inputs[i]).constant;
    const std::size_t behind = node.inputs.size() - i;  // captured inputs are a body's last ones
    const auto inside = [&](const Graph& body) { return body.inputs[body.inputs.size() - behind]; };
    const bool read = std::any_of(node.bodies.begin(), node.bodies.end(),
                                  [&](const Graph& body) { return is_read(body, inside(body)); });
    if (read && !constant) continue;
    for (Graph& body : node.bodies) {
      if (constant) body.value(inside(body)).constant = constant;
      body.inputs.erase(body.inputs.end() - static_cast<std::ptrdiff_t>(behind));
    }
    node.inputs.erase(node.inputs.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (node.op == fb::OpKind::if_else) return;
  auto attrs = node.attrs.unpack<fb::LoopAttrs>();
  attrs.captures = static_cast<std::int32_t>(node.inputs.size() - first);
  node.attrs = attrs;
}

}  // namespace

void optimise_bodies(Graph& graph, std::span<const Group> groups, const PipelineOptions& options,
                     std::vector<std::string>& effective) {
  bool any = false;
  for (NodeId id : graph.order()) {
    if (graph.node(id).bodies.empty()) continue;
    any = true;
    drop_captures(graph, id);
    for (Graph& body : graph.node(id).bodies)
      for (std::string& pass : run_pipeline(body, groups, options))
        if (std::find(effective.begin(), effective.end(), pass) == effective.end())
          effective.push_back(std::move(pass));
    drop_captures(graph, id);
  }
  if (any) graph.remove_dead();
}

}  // namespace skiff::passes
