#include <algorithm>
#include <cmath>
#include <limits>

#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

bool all_equal(const flatbuffers::Vector<std::int64_t>* field, std::int64_t number) {
  return field == nullptr || std::all_of(field->begin(), field->end(),
                                         [&](std::int64_t entry) { return entry == number; });
}

bool slice_keeps_all(const ir::Node& node, const Shape& x) {
  const auto& attributes = attrs<fb::SliceAttrs>(node);
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto i = static_cast<flatbuffers::uoffset_t>(axis);
    const bool forward = attributes.steps() == nullptr || attributes.steps()->Get(i) > 0;
    if (attributes.sizes()->Get(i) != x[axis] || (x[axis] > 1 && !forward)) return false;
  }
  return true;
}

bool resize_keeps_all(const ir::Node& node) {
  const auto& attributes = attrs<fb::ResizeAttrs>(node);
  if (attributes.coordinates() == fb::CoordinateMode::tf_crop_and_resize) return false;
  return attributes.scales() == nullptr ||
         std::all_of(attributes.scales()->begin(), attributes.scales()->end(),
                     [](float scale) { return scale == 1.0f; });
}

bool pool_keeps_all(const ir::Node& node) {
  const auto& attributes = attrs<fb::PoolAttrs>(node);
  return node.outputs.size() == 1 && attributes.function() != fb::PoolFunction::lp &&
         all_equal(attributes.kernel(), 1) && all_equal(attributes.strides(), 1) &&
         all_equal(attributes.pads(), 0);
}

bool unary_keeps_all(const ir::Node& node) {
  const auto& attributes = attrs<fb::UnaryAttrs>(node);
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (attributes.function() == UnaryFunction::clip)
    return attributes.alpha() <= -kLargest && attributes.beta() >= kLargest;
  return attributes.function() == UnaryFunction::none;
}

bool reduces_nothing(const ir::Node& node) {
  const auto& attributes = attrs<fb::ReduceAttrs>(node);
  return attributes.axes() == nullptr || attributes.axes()->size() == 0;
}

bool keeps_single_elements(fb::ReduceFunction function) {
  using enum fb::ReduceFunction;
  return function == sum || function == mean || function == maximum || function == minimum ||
         function == product;
}

/// The operand a product with 1 or a sum with 0 hands on; kAbsent for other nodes.
ValueId neutral(const Rewriter& rewriter, const ir::Node& node) {
  const auto& attributes = attrs<fb::BinaryAttrs>(node);
  if (attributes.activation() != UnaryFunction::none) return kAbsent;
  const auto left = uniform(rewriter.graph, node.inputs[0]);
  const auto right = uniform(rewriter.graph, node.inputs[1]);
  switch (attributes.function()) {
    case BinaryFunction::mul:
      return right == 1.0 ? node.inputs[0] : left == 1.0 ? node.inputs[1] : kAbsent;
    case BinaryFunction::add:
      return right == 0.0 ? node.inputs[0] : left == 0.0 ? node.inputs[1] : kAbsent;
    case BinaryFunction::sub:
      return right == 0.0 ? node.inputs[0] : kAbsent;
    case BinaryFunction::div:
    case BinaryFunction::pow:
      return right == 1.0 ? node.inputs[0] : kAbsent;
    default:
      return kAbsent;
  }
}

/// The operand of a choice that is always the same.
ValueId chosen(const Rewriter& rewriter, const ir::Node& node) {
  const auto condition = uniform(rewriter.graph, node.inputs[0]);
  return condition ? node.inputs[*condition != 0 ? 1 : 2] : kAbsent;
}

/// The value that equals the node's result as it is, or with other axes of extent 1; kAbsent: none.
ValueId handed_on(const Rewriter& rewriter, const ir::Node& node) {
  const ValueId x = node.inputs.empty() ? kAbsent : node.inputs[0];
  if (x == kAbsent || node.outputs.size() != 1) return kAbsent;
  const bool same_shape = rewriter.shape(x) == rewriter.shape(node.outputs[0]);
  const auto when = [&](bool condition) { return condition ? x : kAbsent; };
  switch (node.op) {
    case OpKind::identity:
      return x;
    case OpKind::cast:
      return when(rewriter.graph.value(x).dtype ==
                  static_cast<DType>(attrs<fb::CastAttrs>(node).to()));
    case OpKind::reshape:
    case OpKind::expand:
    case OpKind::tile:
      return when(same_shape);
    case OpKind::concat:
      return when(node.inputs.size() == 1);
    case OpKind::slice:
      return when(slice_keeps_all(node, rewriter.shape(x)));
    case OpKind::pad:
      return when(all_equal(attrs<fb::PadAttrs>(node).pads(), 0));
    case OpKind::resize:
      return when(same_shape && resize_keeps_all(node));
    case OpKind::pool:
      return when(pool_keeps_all(node));
    case OpKind::unary:
      return when(unary_keeps_all(node));
    case OpKind::binary:
      return neutral(rewriter, node);
    case OpKind::where:
      return chosen(rewriter, node);
    case OpKind::reduce:
      return when(keeps_single_elements(attrs<fb::ReduceAttrs>(node).function()) &&
                  rewriter.shape(x).elements() == rewriter.shape(node.outputs[0]).elements() &&
                  (reduces_nothing(node) || rewriter.shape(x).elements() > 0));
    default:
      return kAbsent;
  }
}

bool remove_no_op(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ValueId x = handed_on(rewriter, node);
  if (x == kAbsent) return false;
  const ValueId result = node.outputs[0];
  const Shape& target = rewriter.shape(result);
  if (rewriter.graph.value(x).dtype != rewriter.graph.value(result).dtype) return false;
  if (rewriter.shape(x).elements() != target.elements()) return false;
  const bool as_it_is = rewriter.shape(x) == target;
  if (as_it_is ? !rewriter.can_forward(result, x) : node.op == OpKind::reshape) return false;
  rewriter.replace(result, rewriter.reshape(x, target));
  return true;
}

}  // namespace

bool remove_no_ops(Graph& graph) { return Rewriter(graph).for_each(remove_no_op); }

}  // namespace skiff::passes
