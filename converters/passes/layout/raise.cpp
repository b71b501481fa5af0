#include <algorithm>

#include "converters/passes/layout/layout.h"
#include "converters/passes/layout/operands.h"
#include "converters/passes/layout/permuted.h"

namespace skiff::passes {
namespace {

bool broadcasts(const ir::Node& node) {
  return node.op == fb::OpKind::binary || node.op == fb::OpKind::where ||
         node.op == fb::OpKind::expand;
}

/// True when every reader of the value transposes it by `perm`.
bool only_transposed(const Rewriter& rewriter, ValueId value, const Perm& perm) {
  if (rewriter.graph.is_output(value)) return false;
  const auto& readers = rewriter.readers(value);
  return std::all_of(readers.begin(), readers.end(),
                     [&](NodeId reader) { return transpose_perm(&rewriter.node(reader)) == perm; });
}

/// True when the value, transposed by `perm`, can be had without a transpose inside the graph.
bool can_raise(const Rewriter& rewriter, ValueId value, const Perm& perm, int& budget);

bool can_raise_above(const Rewriter& rewriter, const ir::Node& node, const Perm& perm,
                     int& budget) {
  if (node.outputs.size() != 1 || data_rank(rewriter, node) != static_cast<int>(perm.size()))
    return false;
  const auto changed = permuted(rewriter.graph, node, perm);
  if (!changed || changed->output != perm) return false;
  for (std::size_t i : data_inputs(node))
    if (!can_raise(rewriter, node.inputs[i], perm, budget)) return false;
  return true;
}

bool can_raise(const Rewriter& rewriter, ValueId value, const Perm& perm, int& budget) {
  if (--budget < 0) return false;
  if (free_to_permute(rewriter, value, perm)) return true;
  const ir::Node* node = rewriter.producer(value);
  if (node == nullptr) return rewriter.rank(value) == static_cast<int>(perm.size());
  return rewriter.single_use(value) && can_raise_above(rewriter, *node, perm, budget);
}

bool raise(Rewriter& rewriter) {
  const auto perm = transpose_perm(&rewriter.node());
  if (!perm) return false;
  const ValueId value = rewriter.node().inputs[0];
  const ValueId result = rewriter.node().outputs[0];
  const ir::Node* before = rewriter.producer(value);
  int budget = 200;
  if (before == nullptr || before->op == fb::OpKind::transpose ||
      !only_transposed(rewriter, value, *perm) ||
      !can_raise_above(rewriter, *before, *perm, budget))
    return false;
  const ir::Node node = *before;
  std::vector<ValueId> inputs = node.inputs;
  for (std::size_t i : data_inputs(node))
    inputs[i] = permuted_operand(rewriter, inputs[i], *perm, broadcasts(node));
  const auto changed = permuted(rewriter.graph, node, *perm);
  rewriter.replace(result, rewriter.add(node.op, changed->attrs, inputs, node.name));
  return true;
}

}  // namespace

bool raise_transposes(Graph& graph) { return Rewriter(graph).for_each(raise); }

}  // namespace skiff::passes
