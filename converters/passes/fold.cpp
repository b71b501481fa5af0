#include <algorithm>

#include "converters/ir/evaluate.h"
#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// Repetitions beyond this many bytes are made at run time.
constexpr std::int64_t kMostRepeatedBytes = 64 * 1024;

bool repeats(const Graph& graph, const ir::Node& node) {
  if (node.op != OpKind::expand && node.op != OpKind::tile && node.op != OpKind::one_hot)
    return false;
  return graph.info(node.outputs[0]).bytes() > kMostRepeatedBytes;
}

bool can_fold(const Graph& graph, const ir::Node& node) {
  if (node.op == OpKind::read_variable || node.op == OpKind::custom) return false;
  const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
    return input == kAbsent || graph.value(input).constant.has_value();
  });
  const bool is_output = std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](ValueId output) { return graph.is_output(output); });
  return constant && !is_output && !repeats(graph, node);
}

}  // namespace

bool fold_constants(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.order())
    if (can_fold(graph, graph.node(id))) changed |= ir::evaluate(graph, id);
  graph.remove_dead();
  graph.sort();
  return changed;
}

}  // namespace skiff::passes
