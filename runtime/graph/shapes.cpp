#include "runtime/graph/shapes.h"

#include <algorithm>

namespace skiff {

Shapes::Shapes(const Graph& graph, std::pmr::memory_resource& memory)
    : graph_(graph),
      infos_(&memory),
      operands_(&memory),
      results_(&memory),
      bodies_(&memory),
      edges_(&memory) {
  std::size_t operands = 0, results = 0, bodies = 0, edges = 0;
  for (const GraphNode& node : graph.nodes) {
    operands = std::max(operands, node.inputs.size());
    results = std::max(results, node.outputs.size());
    bodies = std::max(bodies, node.bodies.size());
    edges = std::max(edges, edges_of(node));
  }
  operands_.resize(operands);
  results_.resize(results);
  bodies_.resize(bodies);
  edges_.resize(edges);
  if (graph.symbols == nullptr) return;
  symbols_.emplace(graph.symbols->metadata(), memory);
  infos_.reserve(graph.values.size());
  for (const GraphValue& value : graph.values) infos_.push_back(value.info);
}

NodeView Shapes::view(const GraphNode& node) noexcept {
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    operands_[i] = node.inputs[i] < 0 ? nullptr : &info(node.inputs[i]);
  return {.op = node.def->op,
          .version = 1,
          .attributes = node.attributes,
          .inputs = {operands_.data(), node.inputs.size()},
          .name = node.name,
          .dims = symbols_ ? &*symbols_ : nullptr,
          .count = symbols_ ? count_of(node, &*symbols_) : -1,
          .bodies = view_bodies(node, bodies_.data(), edges_.data(),
                                [&](std::int32_t id) { return &info(id); })};
}

std::span<const TensorInfo> Shapes::outputs(const GraphNode& node) noexcept {
  for (std::size_t i = 0; i < node.outputs.size(); ++i) results_[i] = info(node.outputs[i]);
  return {results_.data(), node.outputs.size()};
}

void Shapes::evaluate(std::size_t id) {
  const GraphValue& value = graph_.values[id];
  if (value.dims == nullptr) return;
  Shape& shape = infos_[id].shape;
  for (int axis = 0; axis < shape.rank(); ++axis)
    shape[axis] = symbols_->resolve(value.dims->Get(static_cast<unsigned>(axis)));
  const auto bytes = checked_bytes(value.info.dtype, shape);
  require(bytes && *bytes <= value.max_bytes, ErrorCode::invalid_argument, "value '",
          value.info.name, "' would have the shape ", shape);
}

void Shapes::check(const GraphNode& node) {
  const std::span<TensorInfo> results(results_.data(), node.outputs.size());
  std::fill(results.begin(), results.end(), TensorInfo{});
  // Arity and attributes were checked with the largest shapes.
  try {
    node.def->infer(view(node), results);
  } catch (const Error& error) {
    fail(ErrorCode::invalid_argument, "not with these sizes: ", error.what());
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TensorInfo& declared = info(node.outputs[i]);
    require(declared.shape == results[i].shape, ErrorCode::invalid_argument,
            "not with these sizes: node '", node.name, "' (", node.def->name, ") gives ",
            results[i].shape, " where ", declared.shape, " is declared");
  }
}

/// The values of nested graphs, which stand behind the node whose rule looks at them.
void Shapes::evaluate_nested() {
  if (!graph_.has_bodies) return;
  for (const GraphNode& node : graph_.nodes) {
    for (const GraphBody& body : node.bodies)
      for (std::int32_t input : body.inputs) evaluate(static_cast<std::size_t>(input));
    for (std::int32_t output : node.outputs)
      if (node.nested) evaluate(static_cast<std::size_t>(output));
  }
}

void Shapes::take(std::span<const std::int64_t> symbols, bool all) {
  symbols_->assign(symbols);
  for (std::int32_t input : graph_.inputs) evaluate(static_cast<std::size_t>(input));
  for (const GraphVariable& variable : graph_.variables)
    evaluate(static_cast<std::size_t>(variable.value));
  evaluate_nested();
  for (const GraphNode& node : graph_.nodes) {
    if (all || node.waits_for() == 0) update(node);
    for (std::int32_t output : node.outputs)
      if (!all && node.follows != 0)
        infos_[static_cast<std::size_t>(output)].shape = graph_.value(output).info.shape;
  }
}

void Shapes::assign(std::span<const std::int64_t> symbols) { take(symbols, true); }
void Shapes::assign_inputs(std::span<const std::int64_t> symbols) { take(symbols, false); }

void Shapes::update(const GraphNode& node) {
  for (std::int32_t output : node.outputs) evaluate(static_cast<std::size_t>(output));
  check(node);
}

}  // namespace skiff
