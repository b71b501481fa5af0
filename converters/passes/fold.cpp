#include <algorithm>

#include "converters/ir/evaluate.h"
#include "converters/ir/work.h"
#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// Repetitions that are weights are made all the same up to this size: kernels pack constants only.
constexpr std::int64_t kMostWeightBytes = std::int64_t{512} << 20;

bool is_weights(const Graph& graph, const std::vector<std::vector<NodeId>>& readers, ValueId id) {
  if (graph.info(id).bytes() > kMostWeightBytes) return false;
  const auto& list = readers[static_cast<std::size_t>(id)];
  return std::any_of(list.begin(), list.end(), [&](NodeId reader) {
    const ir::Node& node = graph.node(reader);
    const bool product =
        node.op == OpKind::conv || node.op == OpKind::conv_transpose || node.op == OpKind::matmul;
    return product && node.inputs[1] == id;
  });
}

bool can_fold(const Graph& graph, const ir::Node& node) {
  if (node.op == OpKind::read_variable || node.op == OpKind::custom) return false;
  const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
    return input == kAbsent || graph.value(input).constant.has_value();
  });
  const bool is_output = std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](ValueId output) { return graph.is_output(output); });
  return constant && !is_output;
}

}  // namespace

bool fold_constants(Graph& graph) {
  bool changed = false;
  const auto readers = graph.users();
  for (NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    if (!can_fold(graph, node)) continue;
    if (ir::worth_folding(graph, id) || is_weights(graph, readers, node.outputs[0]))
      changed |= ir::evaluate(graph, id);
  }
  graph.remove_dead();
  graph.sort();
  return changed;
}

}  // namespace skiff::passes
