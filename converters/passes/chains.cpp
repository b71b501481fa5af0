#include <algorithm>
#include <limits>

#include "converters/passes/clean.h"

namespace skiff::passes {
namespace {

using fb::OpKind;
using fb::UnaryFunction;

bool merge_reshapes(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* before = rewriter.producer(node.inputs[0], OpKind::reshape);
  if (before == nullptr) return false;
  const ValueId x = before->inputs[0];
  const Shape target = rewriter.shape(node.outputs[0]);
  if (rewriter.shape(x) == target && !rewriter.can_forward(node.outputs[0], x)) return false;
  rewriter.replace(node.outputs[0], rewriter.reshape(x, target));
  return true;
}

std::int64_t step_of(const fb::SliceAttrsT& slice, std::size_t axis) {
  return slice.steps.empty() ? 1 : slice.steps[axis];
}

bool merge_slices(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* before = rewriter.producer(node.inputs[0], OpKind::slice);
  if (before == nullptr) return false;
  const auto outer = node.attrs.unpack<fb::SliceAttrs>();
  const auto inner = before->attrs.unpack<fb::SliceAttrs>();
  fb::SliceAttrsT both;
  both.sizes = outer.sizes;
  for (std::size_t axis = 0; axis < outer.starts.size(); ++axis) {
    both.starts.push_back(inner.starts[axis] + outer.starts[axis] * step_of(inner, axis));
    both.steps.push_back(step_of(inner, axis) * step_of(outer, axis));
  }
  rewriter.replace(node.outputs[0],
                   rewriter.add(OpKind::slice, both, {before->inputs[0]}, node.name));
  return true;
}

/// A slice of a concat that lies within one operand.
bool slice_of_concat(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* joined = rewriter.producer(node.inputs[0], OpKind::concat);
  if (joined == nullptr) return false;
  auto slice = node.attrs.unpack<fb::SliceAttrs>();
  const auto axis = static_cast<std::size_t>(attrs<fb::AxisAttrs>(*joined).axis());
  if (slice.sizes[axis] == 0) return false;
  const std::int64_t start = slice.starts[axis];
  const std::int64_t last = start + (slice.sizes[axis] - 1) * step_of(slice, axis);
  std::int64_t begin = 0;
  for (ValueId operand : joined->inputs) {
    const std::int64_t end = begin + rewriter.shape(operand)[static_cast<int>(axis)];
    if (std::min(start, last) >= begin && std::max(start, last) < end) {
      slice.starts[axis] -= begin;
      rewriter.replace(node.outputs[0], rewriter.add(OpKind::slice, slice, {operand}, node.name));
      return true;
    }
    begin = end;
  }
  return false;
}

bool flatten_concat(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  std::vector<ValueId> operands;
  for (ValueId input : node.inputs) {
    const ir::Node* inner = rewriter.producer(input, OpKind::concat);
    const bool joins = inner != nullptr && rewriter.single_use(input) && inner->attrs == node.attrs;
    if (joins)
      operands.insert(operands.end(), inner->inputs.begin(), inner->inputs.end());
    else
      operands.push_back(input);
  }
  if (operands.size() == node.inputs.size()) return false;
  rewriter.replace(node.outputs[0], rewriter.add(node.op, node.attrs, operands, node.name));
  return true;
}

bool merge_pads(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* before = rewriter.producer(node.inputs[0], OpKind::pad);
  if (before == nullptr || node.inputs.size() > 1 || before->inputs.size() > 1) return false;
  auto both = node.attrs.unpack<fb::PadAttrs>();
  const auto inner = before->attrs.unpack<fb::PadAttrs>();
  if (both.mode != fb::PadMode::constant || inner.mode != both.mode || inner.value != both.value)
    return false;
  for (std::size_t i = 0; i < both.pads.size(); ++i) both.pads[i] += inner.pads[i];
  rewriter.replace(node.outputs[0],
                   rewriter.add(OpKind::pad, both, {before->inputs[0]}, node.name));
  return true;
}

struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

std::optional<Bounds> bounds_of(const ir::Node* node) {
  if (is_unary(node, UnaryFunction::relu)) return Bounds{.low = 0};
  if (!is_unary(node, UnaryFunction::clip)) return std::nullopt;
  const auto& attributes = attrs<fb::UnaryAttrs>(*node);
  return Bounds{attributes.alpha(), attributes.beta()};
}

ValueId bounded(Rewriter& rewriter, ValueId x, const Bounds& bounds) {
  fb::UnaryAttrsT attributes;
  attributes.function = UnaryFunction::clip;
  attributes.alpha = bounds.low;
  attributes.beta = bounds.high;
  if (bounds.low == 0 && bounds.high >= std::numeric_limits<float>::max()) {
    attributes = {};
    attributes.function = UnaryFunction::relu;
  }
  return rewriter.add(OpKind::unary, attributes, {x}, rewriter.node().name);
}

bool merge_bounds(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto outer = bounds_of(&node);
  if (!outer) return false;
  const ir::Node* before = rewriter.producer(node.inputs[0]);
  const auto inner = bounds_of(before);
  if (!inner) {
    const bool is_relu = is_unary(&node, UnaryFunction::clip) && outer->low == 0 &&
                         outer->high >= std::numeric_limits<float>::max();
    if (is_relu) rewriter.replace(node.outputs[0], bounded(rewriter, node.inputs[0], *outer));
    return is_relu;
  }
  if (outer->low > inner->high || inner->low > outer->high) return false;
  const Bounds both{std::max(outer->low, inner->low), std::min(outer->high, inner->high)};
  rewriter.replace(node.outputs[0], bounded(rewriter, before->inputs[0], both));
  return true;
}

/// max(x, c) and min(x, c) with one number c are clips.
bool extremum_to_clip(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const bool low = is_binary(&node, fb::BinaryFunction::maximum);
  if (!low && !is_binary(&node, fb::BinaryFunction::minimum)) return false;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto bound = uniform(rewriter.graph, node.inputs[i]);
    const ValueId x = node.inputs[1 - i];
    if (!bound || rewriter.shape(x) != rewriter.shape(node.outputs[0]) ||
        rewriter.graph.value(x).dtype != DType::float32)
      continue;
    Bounds bounds;
    (low ? bounds.low : bounds.high) = static_cast<float>(*bound);
    rewriter.replace(node.outputs[0], bounded(rewriter, x, bounds));
    return true;
  }
  return false;
}

/// An operand that is a reshape nobody else reads, of a tensor of as many elements.
const ir::Node* private_reshape(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value, OpKind::reshape);
  return node != nullptr && rewriter.single_use(value) ? node : nullptr;
}

/// The shape before the reshapes that compute the node's operands, numbers aside; nothing when they
/// differ or an operand is something else.
std::optional<Shape> shape_before_reshapes(const Rewriter& rewriter, const ir::Node& node) {
  std::optional<Shape> common;
  for (ValueId input : node.inputs) {
    if (rewriter.is_constant(input) && rewriter.shape(input).elements() == 1) continue;
    const ir::Node* reshape = private_reshape(rewriter, input);
    if (reshape == nullptr || rewriter.shape(input) != rewriter.shape(node.outputs[0]))
      return std::nullopt;
    const Shape& from = rewriter.shape(reshape->inputs[0]);
    if (common && *common != from) return std::nullopt;
    common = from;
  }
  return common;
}

/// f(reshape(x)) -> reshape(f(x)), so that f stands beside what computes x.
bool sink_reshape(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (!shape_before_reshapes(rewriter, node)) return false;
  std::vector<ValueId> inputs;
  for (ValueId input : node.inputs) {
    const ir::Node* reshape = private_reshape(rewriter, input);
    inputs.push_back(reshape != nullptr ? reshape->inputs[0] : rewriter.reshape(input, {}));
  }
  const ValueId result = rewriter.add(node.op, node.attrs, inputs, node.name);
  rewriter.replace(node.outputs[0], rewriter.reshape(result, rewriter.shape(node.outputs[0])));
  return true;
}

/// Broadcasting does what an expand before it would.
bool skip_expand(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ir::Node* expand = rewriter.producer(node.inputs[i], OpKind::expand);
    if (expand == nullptr) continue;
    ir::Node& changed = rewriter.graph.node(rewriter.at());
    changed.inputs[i] = expand->inputs[0];
    if (!rewriter.graph.reinfer(rewriter.at())) return true;
    changed.inputs[i] = node.inputs[i];
    rewriter.graph.reinfer(rewriter.at());
  }
  return false;
}

bool merge(Rewriter& rewriter) {
  switch (rewriter.node().op) {
    case OpKind::reshape:
      return merge_reshapes(rewriter);
    case OpKind::slice:
      return merge_slices(rewriter) || slice_of_concat(rewriter);
    case OpKind::concat:
      return flatten_concat(rewriter);
    case OpKind::pad:
      return merge_pads(rewriter);
    case OpKind::unary:
      return merge_bounds(rewriter) || sink_reshape(rewriter);
    case OpKind::cast:
      return sink_reshape(rewriter);
    case OpKind::where:
      return skip_expand(rewriter);
    case OpKind::binary:
      return extremum_to_clip(rewriter) || skip_expand(rewriter) || sink_reshape(rewriter);
    default:
      return false;
  }
}

}  // namespace

bool merge_chains(Graph& graph) { return Rewriter(graph).for_each(merge); }

}  // namespace skiff::passes
