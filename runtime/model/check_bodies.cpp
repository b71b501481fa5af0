#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/model/graph_builder.h"

// The graphs that are nested in nodes.
namespace skiff::model {
namespace {

constexpr auto kBad = ErrorCode::invalid_model;

}  // namespace

std::span<const GraphBody> GraphBuilder::add_bodies(const fb::Node& record, const GraphNode& node) {
  std::int32_t graphs[kMaxBodies] = {};
  if (record.attrs_type() != node.def->attrs || record.attrs() == nullptr) return {};
  const int count = bodies_of(node.def->op, record.attrs(), graphs);
  if (count == 0) return {};
  require(depth_ < kMaxNesting, kBad, "node '", node.name, "' nests graphs deeper than ",
          kMaxNesting);
  auto* bodies = static_cast<GraphBody*>(
      memory_.allocate(static_cast<std::size_t>(count) * sizeof(GraphBody), alignof(GraphBody)));
  for (int i = 0; i < count; ++i) new (bodies + i) GraphBody(add_body(take_body(graphs[i], node)));
  graph_.has_bodies = true;
  return {bodies, static_cast<std::size_t>(count)};
}

/// A graph of the file that is a node's body, and no other node's.
const fb::Graph& GraphBuilder::take_body(std::int32_t graph, const GraphNode& node) {
  require(graph > 0 && static_cast<std::size_t>(graph) < used_.size(), kBad, "node '", node.name,
          "' names graph ", graph, " of ", used_.size(), " as its body");
  require(!used_[static_cast<std::size_t>(graph)], kBad, "node '", node.name, "' takes graph ",
          graph, " as its body, which is another node's");
  used_[static_cast<std::size_t>(graph)] = true;
  return *model_.graphs()->Get(static_cast<unsigned>(graph));
}

GraphBody GraphBuilder::add_body(const fb::Graph& record) {
  const std::size_t base = base_, values = count_;
  ++depth_;
  read_values(record);
  GraphBody body;
  body.begin = static_cast<std::int32_t>(graph_.nodes.size());
  body.inputs = local(record.inputs(), "input of a nested graph");
  for (std::int32_t id : body.inputs) {
    define(id, "input of a nested graph");
    require(counted_by(id) == 0, kBad, "input '", at(id).info.name,
            "' of a nested graph has a size that a node sets");
  }
  add_nodes(record);
  body.outputs = local(record.outputs(), "output of a nested graph");
  check_outputs(body.outputs);
  body.end = static_cast<std::int32_t>(graph_.nodes.size());
  --depth_;
  base_ = base;
  count_ = values;
  return body;
}

/// Says whose memory the inputs of the bodies are. The rule has accepted their number and shapes.
void GraphBuilder::join(const GraphNode& node) {
  return node.def->op == fb::OpKind::if_else ? join_branches(node) : join_loop(node);
}

void GraphBuilder::join_branches(const GraphNode& node) {
  for (const GraphBody& branch : node.bodies)
    for (std::size_t i = 0; i < branch.inputs.size(); ++i)
      at(branch.inputs[i]).alias = node.inputs[i + 1];
}

void GraphBuilder::join_loop(const GraphNode& node) {
  const GraphBody& body = node.bodies[0];
  const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
  const LoopForm form = loop_form(node.def->op, attrs, node.inputs.size(), node.outputs.size());
  const auto input = [&](int i) { return body.inputs[static_cast<std::size_t>(i)]; };
  // What is carried lies in the node's outputs all the time.
  for (int i = 0; i < form.carried; ++i)
    at(input(form.given + i)).alias = node.outputs[static_cast<std::size_t>(i)];
  for (int i = 0; i < form.captured; ++i)
    at(input(form.given + form.carried + form.scanned + i)).alias =
        node.inputs[static_cast<std::size_t>(form.captured_input(i))];
  for (int i = 0; i < form.carried; ++i)
    for (int j = 0; j < form.carried; ++j)
      require(i == j ||
                  body.outputs[static_cast<std::size_t>(form.judged + i)] != input(form.given + j),
              kBad, "node '", node.name, "': its body hands on its input ", form.given + j,
              " as its output ", form.judged + i, " without a node between");
}

void check_turns(const Graph& graph) {
  struct Open {
    std::int32_t end;
    std::int64_t turns;
  } open[kMaxNesting + 1];
  int depth = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    while (depth > 0 && static_cast<std::int32_t>(i) >= open[depth - 1].end) --depth;
    if (node.bodies.empty()) continue;
    std::int64_t turns = depth > 0 ? open[depth - 1].turns : 1;
    if (node.def->op != fb::OpKind::if_else) {
      std::int64_t most = static_cast<const fb::LoopAttrs*>(node.attributes)->max_trip_count();
      if (most < 0) most = graph.symbols->upper_bound(most);
      turns *= std::clamp<std::int64_t>(most, 1, kMaxTurns + 1);
      require(turns <= kMaxTurns, kBad, "node '", node.name, "': loops inside of loops turn ",
              turns, " times, at most ", kMaxTurns, " are possible");
    }
    open[depth++] = {node.end, turns};
  }
}

}  // namespace skiff::model
