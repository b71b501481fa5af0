#include <algorithm>

#include "converters/passes/fuse/fuse.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

/// Activations that the kernels apply behind a product.
bool fusable(UnaryFunction function) {
  return function > UnaryFunction::none && function <= UnaryFunction::shrink;
}

bool arithmetic(BinaryFunction function) {
  return function <= BinaryFunction::maximum || function == BinaryFunction::squared_difference;
}

/// The attributes with the activation; nothing when the node takes none or has one.
template <typename Table>
std::optional<ir::Attributes> with(const ir::Node& node, const fb::UnaryAttrs& activation) {
  auto attributes = node.attrs.unpack<Table>();
  if (attributes.activation != UnaryFunction::none) return std::nullopt;
  attributes.activation = activation.function();
  attributes.alpha = activation.alpha();
  attributes.beta = activation.beta();
  return attributes;
}

std::optional<ir::Attributes> with_activation(const ir::Node& node,
                                              const fb::UnaryAttrs& activation) {
  switch (node.op) {
    case OpKind::conv:
    case OpKind::conv_transpose:
      return with<fb::ConvAttrs>(node, activation);
    case OpKind::matmul:
      return with<fb::MatMulAttrs>(node, activation);
    case OpKind::binary:
      if (!arithmetic(attrs<fb::BinaryAttrs>(node).function())) return std::nullopt;
      return with<fb::BinaryAttrs>(node, activation);
    default:
      return std::nullopt;
  }
}

bool fuse_activation(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto& activation = attrs<fb::UnaryAttrs>(node);
  const ir::Node* found = rewriter.producer(node.inputs[0]);
  if (found == nullptr || !fusable(activation.function()) || !rewriter.single_use(node.inputs[0]) ||
      !is_float(rewriter.graph.value(node.outputs[0]).dtype))
    return false;
  const ir::Node anchor = *found;
  const auto attributes = with_activation(anchor, activation);
  if (!attributes) return false;
  rewriter.replace(node.outputs[0],
                   rewriter.add(anchor.op, *attributes, anchor.inputs, anchor.name));
  return true;
}

/// A conv or matmul that can still take a residual.
const ir::Node* open_anchor(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value);
  if (node == nullptr || !rewriter.single_use(value)) return nullptr;
  if (node->op != OpKind::conv && node->op != OpKind::matmul) return nullptr;
  if (operand(*node, 3) != kAbsent) return nullptr;
  const UnaryFunction activation = node->op == OpKind::conv
                                       ? attrs<fb::ConvAttrs>(*node).activation()
                                       : attrs<fb::MatMulAttrs>(*node).activation();
  return activation == UnaryFunction::none ? node : nullptr;
}

/// The operand whose anchor takes the other as its residual: of two the one computed later, which
/// leaves the other where it is.
std::optional<std::size_t> anchor_operand(const Rewriter& rewriter, const ir::Node& node) {
  std::optional<std::size_t> result;
  NodeId latest = -1;
  const std::vector<NodeId> order = rewriter.graph.order();
  for (std::size_t i = 0; i < 2; ++i) {
    if (open_anchor(rewriter, node.inputs[i]) == nullptr) continue;
    const NodeId id = rewriter.graph.value(node.inputs[i]).producer;
    const auto place =
        static_cast<NodeId>(std::find(order.begin(), order.end(), id) - order.begin());
    if (place <= latest) continue;
    latest = place;
    result = i;
  }
  return result;
}

bool fuse_residual(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto& sum = attrs<fb::BinaryAttrs>(node);
  if (sum.function() != BinaryFunction::add || node.inputs[0] == node.inputs[1]) return false;
  const Shape& shape = rewriter.shape(node.outputs[0]);
  if (rewriter.shape(node.inputs[0]) != shape || rewriter.shape(node.inputs[1]) != shape ||
      !is_float(rewriter.graph.value(node.outputs[0]).dtype))
    return false;
  const auto place = anchor_operand(rewriter, node);
  if (!place || !rewriter.is_dynamic(node.inputs[1 - *place])) return false;
  const ir::Node anchor = *open_anchor(rewriter, node.inputs[*place]);
  std::vector<ValueId> inputs = anchor.inputs;
  inputs.resize(4, kAbsent);
  inputs[3] = node.inputs[1 - *place];
  ir::Attributes attributes = anchor.attrs;
  if (sum.activation() != UnaryFunction::none) {
    fb::UnaryAttrsT activation;
    activation.function = sum.activation();
    activation.alpha = sum.alpha();
    activation.beta = sum.beta();
    const ir::Attributes packed(activation);
    attributes = *with_activation(anchor, packed.get<fb::UnaryAttrs>());
  }
  rewriter.replace(node.outputs[0], rewriter.add(anchor.op, attributes, inputs, anchor.name));
  return true;
}

bool fuse(Rewriter& rewriter) {
  switch (rewriter.node().op) {
    case OpKind::unary:
      return fuse_activation(rewriter);
    case OpKind::binary:
      return fuse_residual(rewriter);
    default:
      return false;
  }
}

}  // namespace

bool fuse_epilogues(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
