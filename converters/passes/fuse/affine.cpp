#include "converters/passes/fuse/affine.h"

#include <algorithm>

#include "converters/passes/fuse/fuse.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;

bool is_product(const ir::Node* node) {
  return node != nullptr && (node->op == OpKind::conv || node->op == OpKind::conv_transpose ||
                             node->op == OpKind::matmul);
}

fb::UnaryFunction activation_of(const ir::Node& node) {
  return node.op == OpKind::matmul ? attrs<fb::MatMulAttrs>(node).activation()
                                   : attrs<fb::ConvAttrs>(node).activation();
}

/// True when the constant's elements all lie on its last axis.
bool is_vector(const Shape& shape, std::int64_t channels) {
  return shape.elements() == 1 ||
         (shape.rank() > 0 && shape.back() == channels && shape.elements() == channels);
}

ValueId product(Rewriter& rewriter, ValueId a, ValueId b) {
  return rewriter.binary(BinaryFunction::mul, a, b);
}

/// Weights [Cout, K..., Cin / groups] with a factor an output channel.
ValueId scale_outputs(Rewriter& rewriter, ValueId weights, ValueId factors) {
  Shape column = rewriter.shape(weights);
  const std::int64_t count = column[0];
  for (int axis = 1; axis < column.rank(); ++axis) column[axis] = 1;
  return product(rewriter, weights,
                 rewriter.reshape(per_channel(rewriter, factors, count), column));
}

/// matmul's constant with a factor a column (of the untransposed operand).
ValueId scale_columns(Rewriter& rewriter, const ir::Node& node, ValueId factors) {
  const ValueId weights = node.inputs[1];
  const Shape& shape = rewriter.shape(weights);
  if (!attrs<fb::MatMulAttrs>(node).transpose_b()) return product(rewriter, weights, factors);
  const std::int64_t count = shape[shape.rank() - 2];
  return product(rewriter, weights,
                 rewriter.reshape(per_channel(rewriter, factors, count), {count, 1}));
}

void replace_product(Rewriter& rewriter, const ir::Node& anchor, const ir::Attributes& attributes,
                     std::vector<ValueId> inputs) {
  while (!inputs.empty() && inputs.back() == kAbsent) inputs.pop_back();
  const ValueId result = rewriter.node().outputs[0];
  rewriter.replace(result, rewriter.add(anchor.op, attributes, inputs, anchor.name));
}

bool known_bias(const Rewriter& rewriter, const ir::Node& anchor) {
  const ValueId bias = operand(anchor, 2);
  return bias == kAbsent || rewriter.is_constant(bias);
}

/// conv(x) + c, matmul(x) + c
bool add_behind(Rewriter& rewriter, const ir::Node& anchor, const ChannelConstant& found) {
  const std::int64_t channels = rewriter.shape(anchor.outputs[0]).back();
  std::vector<ValueId> inputs = anchor.inputs;
  inputs.resize(std::max<std::size_t>(inputs.size(), 3), kAbsent);
  const ValueId sum = per_channel(rewriter, found.constant, channels);
  inputs[2] = inputs[2] == kAbsent ? sum : rewriter.binary(BinaryFunction::add, inputs[2], sum);
  replace_product(rewriter, anchor, anchor.attrs, inputs);
  return true;
}

/// conv(x) * c, matmul(x) * c
bool multiply_behind(Rewriter& rewriter, const ir::Node& anchor, const ChannelConstant& found) {
  if (operand(anchor, 3) != kAbsent) return false;
  std::vector<ValueId> inputs = anchor.inputs;
  ir::Attributes attributes = anchor.attrs;
  const auto number = uniform(rewriter.graph, found.constant);
  if (rewriter.is_constant(inputs[1])) {
    if (rewriter.graph.value(inputs[1]).dtype != rewriter.graph.value(found.constant).dtype)
      return false;
    inputs[1] = anchor.op == OpKind::matmul ? scale_columns(rewriter, anchor, found.constant)
                                            : scale_outputs(rewriter, inputs[1], found.constant);
  } else if (anchor.op == OpKind::matmul && number) {
    auto native = anchor.attrs.unpack<fb::MatMulAttrs>();
    native.scale *= static_cast<float>(*number);
    attributes = native;
  } else {
    return false;
  }
  if (operand(anchor, 2) != kAbsent) inputs[2] = product(rewriter, inputs[2], found.constant);
  replace_product(rewriter, anchor, attributes, inputs);
  return true;
}

bool fuse_behind(Rewriter& rewriter) {
  const auto found = channel_constant(rewriter, rewriter.node());
  if (!found || !rewriter.single_use(found->x)) return false;
  const ir::Node* anchor = rewriter.producer(found->x);
  if (!is_product(anchor) || activation_of(*anchor) != fb::UnaryFunction::none ||
      rewriter.rank(found->x) < 2 || !known_bias(rewriter, *anchor))
    return false;
  const ir::Node copy = *anchor;
  if (copy.op == OpKind::matmul && rewriter.rank(copy.inputs[1]) < 2) return false;
  return found->product ? multiply_behind(rewriter, copy, *found)
                        : add_behind(rewriter, copy, *found);
}

/// Weights [Cout, K..., Cin / groups] as [groups, Cout / groups, window, Cin / groups].
Shape grouped(const Shape& weights, std::int64_t groups) {
  return {groups, weights[0] / groups, weights.elements(1, weights.rank() - 1), weights.back()};
}

/// Weights with a factor (or term) an input channel.
ValueId times_inputs(Rewriter& rewriter, const ir::Node& node, ValueId constant) {
  const std::int64_t groups = attrs<fb::ConvAttrs>(node).groups();
  const Shape parts = grouped(rewriter.shape(node.inputs[1]), groups);
  const ValueId factors = rewriter.reshape(per_channel(rewriter, constant, groups * parts[3]),
                                           {groups, 1, 1, parts[3]});
  return product(rewriter, rewriter.reshape(node.inputs[1], parts), factors);
}

ValueId plus_bias(Rewriter& rewriter, const ir::Node& node, ValueId sum) {
  const ValueId bias = operand(node, 2);
  return bias == kAbsent ? sum : rewriter.binary(BinaryFunction::add, bias, sum);
}

bool is_padded(const ir::Node& node) {
  const auto pads = to_vector(attrs<fb::ConvAttrs>(node).pads());
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; });
}

/// conv(x * c), conv(x + c): the sum only where no padding meets it.
bool fuse_before_conv(Rewriter& rewriter, const ChannelConstant& found) {
  const ir::Node node = rewriter.node();
  if (!found.product && (node.op != OpKind::conv || is_padded(node))) return false;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = found.x;
  const ValueId scaled = times_inputs(rewriter, node, found.constant);
  if (found.product) {
    inputs[1] = rewriter.reshape(scaled, rewriter.shape(node.inputs[1]));
  } else {
    fb::ReduceAttrsT sum;
    sum.axes = {2, 3};
    sum.keep_dims = false;
    const ValueId sums = rewriter.add(OpKind::reduce, sum, {scaled}, node.name + "/sum");
    inputs.resize(std::max<std::size_t>(inputs.size(), 3), kAbsent);
    inputs[2] =
        plus_bias(rewriter, node, rewriter.reshape(sums, {rewriter.shape(node.inputs[1])[0]}));
  }
  replace_product(rewriter, node, node.attrs, inputs);
  return true;
}

/// matmul(x * c, W), matmul(x + c, W)
bool fuse_before_matmul(Rewriter& rewriter, const ChannelConstant& found) {
  const ir::Node node = rewriter.node();
  const auto& attributes = attrs<fb::MatMulAttrs>(node);
  if (attributes.transpose_a() || attributes.scale() != 1 || rewriter.rank(node.inputs[1]) != 2 ||
      rewriter.rank(node.inputs[0]) < 2)
    return false;
  const Shape weights = rewriter.shape(node.inputs[1]);
  const bool transposed = attributes.transpose_b();
  const std::int64_t inner = weights[transposed ? 1 : 0];
  const ValueId vector = per_channel(rewriter, found.constant, inner);
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = found.x;
  if (found.product) {
    const Shape column = transposed ? Shape{1, inner} : Shape{inner, 1};
    inputs[1] = product(rewriter, inputs[1], rewriter.reshape(vector, column));
  } else {
    fb::MatMulAttrsT plain;
    plain.transpose_b = transposed;
    const ValueId row = rewriter.reshape(vector, {1, inner});
    const ValueId sums = rewriter.add(OpKind::matmul, plain, {row, inputs[1]}, node.name + "/sum");
    inputs.resize(std::max<std::size_t>(inputs.size(), 3), kAbsent);
    inputs[2] = plus_bias(rewriter, node, rewriter.reshape(sums, {weights[transposed ? 0 : 1]}));
  }
  replace_product(rewriter, node, node.attrs, inputs);
  return true;
}

bool fuse_before(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ir::Node* before = rewriter.producer(node.inputs[0]);
  if (before == nullptr || !rewriter.single_use(node.inputs[0]) ||
      !rewriter.is_constant(node.inputs[1]) || !known_bias(rewriter, node))
    return false;
  const auto found = channel_constant(rewriter, *before);
  if (!found ||
      rewriter.graph.value(found->constant).dtype != rewriter.graph.value(node.inputs[1]).dtype)
    return false;
  return node.op == OpKind::matmul ? fuse_before_matmul(rewriter, *found)
                                   : fuse_before_conv(rewriter, *found);
}

/// The number an operand is multiplied by, when nobody else reads the product.
std::optional<ChannelConstant> scaled_by_number(Rewriter& rewriter, ValueId value) {
  const ir::Node* before = rewriter.producer(value);
  if (before == nullptr || !rewriter.single_use(value)) return std::nullopt;
  const auto found = channel_constant(rewriter, *before);
  if (!found || !found->product || !uniform(rewriter.graph, found->constant)) return std::nullopt;
  return found;
}

/// matmul(a * c, b) and matmul(a, b * c) with a number c.
bool fuse_scale(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  for (std::size_t i = 0; i < 2; ++i) {
    const auto found = scaled_by_number(rewriter, node.inputs[i]);
    if (!found) continue;
    auto attributes = node.attrs.unpack<fb::MatMulAttrs>();
    attributes.scale *= static_cast<float>(*uniform(rewriter.graph, found->constant));
    std::vector<ValueId> inputs = node.inputs;
    inputs[i] = found->x;
    rewriter.replace(node.outputs[0], rewriter.add(node.op, attributes, inputs, node.name));
    return true;
  }
  return false;
}

/// softmax(x * c)
bool fuse_softmax_scale(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto found = scaled_by_number(rewriter, node.inputs[0]);
  auto attributes = node.attrs.unpack<fb::SoftmaxAttrs>();
  if (!found || attributes.function != fb::SoftmaxFunction::softmax) return false;
  attributes.scale *= static_cast<float>(*uniform(rewriter.graph, found->constant));
  rewriter.replace(node.outputs[0], rewriter.add(node.op, attributes, {found->x}, node.name));
  return true;
}

bool fuse(Rewriter& rewriter) {
  switch (rewriter.node().op) {
    case OpKind::binary:
      return fuse_behind(rewriter);
    case OpKind::conv:
    case OpKind::conv_transpose:
      return fuse_before(rewriter);
    case OpKind::matmul:
      return fuse_before(rewriter) || fuse_scale(rewriter);
    case OpKind::softmax:
      return fuse_softmax_scale(rewriter);
    default:
      return false;
  }
}

}  // namespace

std::optional<ChannelConstant> channel_constant(Rewriter& rewriter, const ir::Node& node) {
  if (node.op != OpKind::binary) return std::nullopt;
  const BinaryFunction function = attrs<fb::BinaryAttrs>(node).function();
  const ir::Value& result = rewriter.graph.value(node.outputs[0]);
  if (!is_binary(&node, function) || !is_float(result.dtype)) return std::nullopt;
  const bool symmetric = function == BinaryFunction::mul || function == BinaryFunction::add;
  if (!symmetric && function != BinaryFunction::sub && function != BinaryFunction::div)
    return std::nullopt;
  const std::size_t place = symmetric && rewriter.is_constant(node.inputs[0]) ? 0 : 1;
  const ValueId x = node.inputs[1 - place];
  const ValueId constant = node.inputs[place];
  if (!rewriter.is_constant(constant) || rewriter.is_constant(x) ||
      rewriter.shape(x) != result.shape || result.shape.rank() == 0 ||
      !is_vector(rewriter.shape(constant), result.shape.back()))
    return std::nullopt;
  ChannelConstant found{x, constant, function == BinaryFunction::mul};
  const DType dtype = result.dtype;
  if (function == BinaryFunction::sub)
    found.constant = product(rewriter, constant, rewriter.scalar(dtype, -1));
  if (function == BinaryFunction::div) {
    found.constant = rewriter.binary(BinaryFunction::div, rewriter.scalar(dtype, 1), constant);
    found.product = true;
  }
  const std::int64_t count = rewriter.shape(found.constant).elements();
  found.constant = rewriter.reshape(found.constant, count == 1 ? Shape{} : Shape{count});
  return rewriter.is_constant(found.constant) ? std::optional(found) : std::nullopt;
}

ValueId per_channel(Rewriter& rewriter, ValueId constant, std::int64_t count) {
  if (rewriter.shape(constant) == Shape{count}) return constant;
  fb::ShapeAttrsT attributes;
  attributes.shape = {count};
  return rewriter.add(OpKind::expand, attributes, {constant},
                      rewriter.graph.value(constant).name + "/expand");
}

bool fuse_affine(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
