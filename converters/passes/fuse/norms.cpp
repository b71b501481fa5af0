#include <algorithm>
#include <cmath>

#include "converters/passes/fuse/fuse.h"
#include "converters/passes/fuse/group_norm.h"
#include "converters/passes/fuse/linear.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

/// A reduction with kept axes, of this function.
const ir::Node* reduction(const Rewriter& rewriter, ValueId value, fb::ReduceFunction function) {
  const ir::Node* node = rewriter.producer(value, OpKind::reduce);
  if (node == nullptr) return nullptr;
  const auto& attributes = attrs<fb::ReduceAttrs>(*node);
  return attributes.function() == function && attributes.keep_dims() ? node : nullptr;
}

/// Where the reduced axes begin when they are the last ones; nothing otherwise.
std::optional<int> trailing_axes(const Rewriter& rewriter, const ir::Node& reduce) {
  const auto axes = to_vector(attrs<fb::ReduceAttrs>(reduce).axes());
  const int rank = rewriter.rank(reduce.inputs[0]);
  if (axes.empty()) return std::nullopt;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != rank - static_cast<int>(axes.size() - i)) return std::nullopt;
  return static_cast<int>(axes[0]);
}

/// The squared tensor: square(x) or x x.
ValueId squared(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value);
  if (is_unary(node, UnaryFunction::square)) return node->inputs[0];
  return is_binary(node, BinaryFunction::mul) && node->inputs[0] == node->inputs[1]
             ? node->inputs[0]
             : kAbsent;
}

/// x / sqrt(v) in its forms: the operands x and v; nothing for other nodes.
struct Normalised {
  ValueId x;
  ValueId variance;
};
std::optional<Normalised> normalised(const Rewriter& rewriter, const ir::Node& node) {
  if (is_binary(&node, BinaryFunction::div)) {
    const ir::Node* root = rewriter.producer(node.inputs[1]);
    if (is_unary(root, UnaryFunction::sqrt)) return Normalised{node.inputs[0], root->inputs[0]};
  }
  if (is_binary(&node, BinaryFunction::mul))
    for (std::size_t i = 0; i < 2; ++i) {
      const ir::Node* root = rewriter.producer(node.inputs[i]);
      if (is_unary(root, UnaryFunction::rsqrt))
        return Normalised{node.inputs[1 - i], root->inputs[0]};
    }
  return std::nullopt;
}

/// True when the value is x less its mean over the axes from `axis` on.
bool is_centred(const Rewriter& rewriter, const ir::Node* node, int axis) {
  if (!is_binary(node, BinaryFunction::sub)) return false;
  const ir::Node* mean = reduction(rewriter, node->inputs[1], fb::ReduceFunction::mean);
  return mean != nullptr && mean->inputs[0] == node->inputs[0] &&
         trailing_axes(rewriter, *mean) == axis;
}

/// d / sqrt(mean(d^2) + epsilon) is layer_norm(x) for d = x - mean(x), else its form without a
/// mean.
bool fuse_layer_norm(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto parts = normalised(rewriter, node);
  if (!parts) return false;
  const Linear variance = peel(rewriter, parts->variance);
  const ir::Node* mean = reduction(rewriter, variance.x, fb::ReduceFunction::mean);
  if (mean == nullptr || variance.scale != 1 || variance.shift < 0) return false;
  const auto axis = trailing_axes(rewriter, *mean);
  if (!axis || squared(rewriter, mean->inputs[0]) != parts->x) return false;
  const ir::Node* centred = rewriter.producer(parts->x);
  const bool has_mean = is_centred(rewriter, centred, *axis);
  fb::NormAttrsT attributes;
  attributes.axis = *axis;
  attributes.epsilon = static_cast<float>(variance.shift);
  attributes.rms = !has_mean;
  const ValueId x = has_mean ? centred->inputs[0] : parts->x;
  rewriter.replace(node.outputs[0], rewriter.add(OpKind::layer_norm, attributes, {x}, node.name));
  return true;
}

/// The constant with the shape of the normalised axes; kAbsent when it has another one.
ValueId over_normalised_axes(Rewriter& rewriter, ValueId constant, const ir::Node& norm) {
  const Shape& x = rewriter.shape(norm.inputs[0]);
  const Shape own = rewriter.shape(constant);
  const int axis = static_cast<int>(attrs<fb::NormAttrs>(norm).axis());
  Shape wanted;
  for (int i = axis; i < x.rank(); ++i) wanted.push_back(x[i]);
  int lead = 0;
  while (lead < own.rank() && own[lead] == 1 && own.rank() - lead > wanted.rank()) ++lead;
  Shape rest;
  for (int i = lead; i < own.rank(); ++i) rest.push_back(own[i]);
  if (rest != wanted) return kAbsent;
  return rewriter.reshape(constant, wanted);
}

/// A product with, then a sum with constants of the normalised shape: scale and bias.
bool fuse_scale_or_bias(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const bool scales = is_binary(&node, BinaryFunction::mul);
  if (!scales && !is_binary(&node, BinaryFunction::add)) return false;
  for (std::size_t i = 0; i < 2; ++i) {
    const ir::Node* found = rewriter.producer(node.inputs[i], OpKind::layer_norm);
    if (found == nullptr || !rewriter.single_use(node.inputs[i]) || found->outputs.size() != 1 ||
        !rewriter.is_constant(node.inputs[1 - i]))
      continue;
    const ir::Node norm = *found;
    const bool has_scale = operand(norm, 1) != kAbsent;
    const bool has_bias = operand(norm, 2) != kAbsent;
    if (has_bias || (scales && has_scale)) return false;
    const ValueId constant = over_normalised_axes(rewriter, node.inputs[1 - i], norm);
    if (constant == kAbsent) return false;
    std::vector<ValueId> inputs = {norm.inputs[0], has_scale ? norm.inputs[1] : kAbsent};
    if (scales)
      inputs[1] = constant;
    else
      inputs.push_back(constant);
    rewriter.replace(node.outputs[0], rewriter.add(norm.op, norm.attrs, inputs, norm.name));
    return true;
  }
  return false;
}

/// The l2 norm of x along one axis: as a reduction, or as the root of a sum of squares.
struct Norm {
  ValueId x;
  std::int64_t axis;
};
std::optional<Norm> l2_norm(const Rewriter& rewriter, ValueId value) {
  const ir::Node* reduce = reduction(rewriter, value, fb::ReduceFunction::l2);
  ValueId x = reduce == nullptr ? kAbsent : reduce->inputs[0];
  const ir::Node* root = rewriter.producer(value);
  if (is_unary(root, UnaryFunction::sqrt)) {
    reduce = reduction(rewriter, root->inputs[0], fb::ReduceFunction::sum_square);
    if (reduce != nullptr) x = reduce->inputs[0];
    if (reduce == nullptr) reduce = reduction(rewriter, root->inputs[0], fb::ReduceFunction::sum);
    if (reduce != nullptr && x == kAbsent) x = squared(rewriter, reduce->inputs[0]);
  }
  if (reduce == nullptr || x == kAbsent) return std::nullopt;
  const auto axes = to_vector(attrs<fb::ReduceAttrs>(*reduce).axes());
  if (axes.size() != 1) return std::nullopt;
  return Norm{x, axes[0]};
}

/// x / max(norm(x), epsilon)
bool fuse_l2(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (!is_binary(&node, BinaryFunction::div)) return false;
  ValueId divisor = node.inputs[1];
  float epsilon = 0;
  const ir::Node* bound = rewriter.producer(divisor);
  if (is_unary(bound, UnaryFunction::clip) && attrs<fb::UnaryAttrs>(*bound).beta() > 1e30f) {
    epsilon = attrs<fb::UnaryAttrs>(*bound).alpha();
    divisor = bound->inputs[0];
  }
  const auto norm = l2_norm(rewriter, divisor);
  if (!norm || norm->x != node.inputs[0] || !(epsilon > 0)) return false;
  fb::LpNormAttrsT attributes;
  attributes.axis = norm->axis;
  attributes.epsilon = epsilon;
  rewriter.replace(node.outputs[0],
                   rewriter.add(OpKind::lp_norm, attributes, {norm->x}, node.name));
  return true;
}

bool fuse(Rewriter& rewriter) {
  const ir::Node& node = rewriter.node();
  if (node.op == OpKind::reshape) return fuse_group_norm(rewriter);
  if (node.op != OpKind::binary || !is_float(rewriter.graph.value(node.outputs[0]).dtype))
    return false;
  return fuse_layer_norm(rewriter) || fuse_scale_or_bias(rewriter) || fuse_l2(rewriter);
}

}  // namespace

bool fuse_norms(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
