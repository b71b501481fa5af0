#include "converters/passes/layout/layout.h"
#include "converters/passes/layout/operands.h"
#include "converters/passes/layout/permuted.h"
#include "converters/passes/layout/reshape_groups.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

bool broadcasts(const ir::Node& node) {
  return node.op == OpKind::binary || node.op == OpKind::where || node.op == OpKind::expand;
}

std::int64_t bytes_of_value(const Rewriter& rewriter, ValueId value) {
  return rewriter.graph.info(value).bytes();
}

/// transpose(transpose(x)) in one, or none.
bool merge_pair(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto outer = transpose_perm(&node);
  const ir::Node* before = rewriter.producer(node.inputs[0]);
  const auto inner = transpose_perm(before);
  if (!outer) return false;
  if (!inner && !is_identity(*outer)) return false;
  const ValueId source = inner ? before->inputs[0] : node.inputs[0];
  const Perm both = inner ? compose(*inner, *outer) : *outer;
  if (is_identity(both) && !rewriter.can_forward(node.outputs[0], source)) return false;
  rewriter.replace(node.outputs[0], rewriter.transpose(source, both));
  return true;
}

/// A channel shuffle: the part of the transpose that the reshape needs stays, the rest sinks.
bool split_at_reshape(Rewriter& rewriter, const ir::Node& reshape, const ir::Node& transposed) {
  const ValueId source = transposed.inputs[0];
  const Shape shape = rewriter.shape(source);
  const Perm perm = *transpose_perm(&transposed);
  const Perm stays = joining_perm(shape, perm, rewriter.shape(reshape.outputs[0]));
  const Perm goes = compose(inverse(stays), perm);
  const Shape between = permute(shape, stays);
  if (is_reshape(goes, between) || is_reshape(stays, shape)) return false;
  const auto moved = move_reshape(between, goes, rewriter.shape(reshape.outputs[0]));
  if (!moved) return false;
  const ValueId joined = rewriter.reshape(rewriter.transpose(source, stays), moved->shape);
  rewriter.replace(reshape.outputs[0], rewriter.transpose(joined, moved->output));
  return true;
}

bool sink_below_reshape(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* before = rewriter.producer(node.inputs[0], OpKind::transpose);
  if (before == nullptr) return false;
  const ValueId source = before->inputs[0];
  const auto moved = move_reshape(rewriter.shape(source), *transpose_perm(before),
                                  rewriter.shape(node.outputs[0]));
  if (!moved) return split_at_reshape(rewriter, node, *before);
  if (moved->shape == rewriter.shape(source) && is_identity(moved->output) &&
      !rewriter.can_forward(node.outputs[0], source))
    return false;
  const ValueId reshaped = rewriter.reshape(source, moved->shape);
  rewriter.replace(node.outputs[0], rewriter.transpose(reshaped, moved->output));
  return true;
}

/// The permutation that most of the operands' bytes have been transposed by.
std::optional<Perm> leading_perm(const Rewriter& rewriter, const ir::Node& node,
                                 const std::vector<std::size_t>& operands, int rank) {
  std::optional<Perm> result;
  std::int64_t most = -1;
  for (std::size_t i : operands) {
    const auto perm = transposed_by(rewriter, node.inputs[i], rank);
    const std::int64_t bytes = perm ? bytes_of_value(rewriter, node.inputs[i]) : -1;
    if (bytes <= most) continue;
    result = perm;
    most = bytes;
  }
  return result;
}

/// Bytes of transposes that would be new above the node, less those that would go.
std::int64_t bytes_added(const Rewriter& rewriter, const ir::Node& node,
                         const std::vector<std::size_t>& operands, const Perm& back) {
  std::int64_t added = 0;
  for (std::size_t i : operands) {
    const ValueId value = node.inputs[i];
    const bool had = transposed_by(rewriter, value, static_cast<int>(back.size())).has_value();
    const bool has = !free_to_permute(rewriter, value, back);
    added += (static_cast<int>(has) - static_cast<int>(had)) * bytes_of_value(rewriter, value);
  }
  return added;
}

bool sink_below_node(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (node.inputs.empty() || node.inputs[0] == kAbsent) return false;
  const auto operands = data_inputs(node);
  const auto perm = leading_perm(rewriter, node, operands, data_rank(rewriter, node));
  if (!perm || is_identity(*perm)) return false;
  const Perm back = inverse(*perm);
  const auto changed = permuted(rewriter.graph, node, back);
  if (!changed || bytes_added(rewriter, node, operands, back) > 0) return false;
  std::vector<ValueId> inputs = node.inputs;
  for (std::size_t i : operands)
    inputs[i] = permuted_operand(rewriter, inputs[i], back, broadcasts(node));
  const auto outputs =
      rewriter.add_many(node.op, changed->attrs, inputs, node.name, node.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    rewriter.replace(node.outputs[i], rewriter.transpose(outputs[i], inverse(changed->output)));
  return true;
}

bool sink(Rewriter& rewriter) {
  switch (rewriter.node().op) {
    case OpKind::transpose:
      return merge_pair(rewriter);
    case OpKind::reshape:
      return sink_below_reshape(rewriter);
    default:
      return sink_below_node(rewriter);
  }
}

}  // namespace

bool sink_transposes(Graph& graph) { return Rewriter(graph).for_each(sink); }

bool layout(Graph& graph) {
  bool changed = false;
  for (int round = 0; round < 50; ++round) {
    const bool moved = sink_transposes(graph) | absorb_transposes(graph);
    if (!moved) break;
    changed = true;
  }
  for (int round = 0; round < 50 && raise_transposes(graph); ++round) changed = true;
  return changed;
}

}  // namespace skiff::passes
