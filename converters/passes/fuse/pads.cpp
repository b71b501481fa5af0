#include <algorithm>
#include <limits>

#include "converters/passes/fuse/fuse.h"

namespace skiff::passes {
namespace {

using fb::OpKind;
using fb::UnaryFunction;

/// Begin and end of every spatial axis when only those are padded, with one number.
struct Padding {
  ValueId x;
  std::vector<std::int64_t> pads;
  double value;
};

std::optional<Padding> spatial_padding(const Rewriter& rewriter, ValueId padded) {
  const ir::Node* node = rewriter.producer(padded, OpKind::pad);
  if (node == nullptr || attrs<fb::PadAttrs>(*node).mode() != fb::PadMode::constant)
    return std::nullopt;
  const auto& attributes = attrs<fb::PadAttrs>(*node);
  Padding result{node->inputs[0], {}, attributes.value()};
  if (operand(*node, 1) != kAbsent) {
    const auto value = uniform(rewriter.graph, node->inputs[1]);
    if (!value) return std::nullopt;
    result.value = *value;
  }
  const auto pads = to_vector(attributes.pads());
  const std::size_t rank = pads.size() / 2;
  for (std::size_t half = 0; half < 2; ++half)
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t pad = pads[half * rank + axis];
      const bool spatial = axis > 0 && axis + 1 < rank;
      if (spatial)
        result.pads.push_back(pad);
      else if (pad != 0)
        return std::nullopt;
    }
  return result;
}

std::vector<std::int64_t> sum(std::vector<std::int64_t> a, const std::vector<std::int64_t>& b) {
  a.resize(b.size(), 0);
  for (std::size_t i = 0; i < b.size(); ++i) a[i] += b[i];
  return a;
}

bool pad_into_conv(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto padding = spatial_padding(rewriter, node.inputs[0]);
  if (!padding || padding->value != 0) return false;
  auto attributes = node.attrs.unpack<fb::ConvAttrs>();
  attributes.pads = sum(attributes.pads, padding->pads);
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = padding->x;
  rewriter.replace(node.outputs[0], rewriter.add(node.op, attributes, inputs, node.name));
  return true;
}

/// True when no element can be below zero.
bool never_negative(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value);
  if (node == nullptr) return false;
  UnaryFunction function = UnaryFunction::none;
  float low = -1;
  if (node->op == OpKind::unary) {
    function = attrs<fb::UnaryAttrs>(*node).function();
    low = attrs<fb::UnaryAttrs>(*node).alpha();
  } else if (node->op == OpKind::conv) {
    function = attrs<fb::ConvAttrs>(*node).activation();
    low = attrs<fb::ConvAttrs>(*node).alpha();
  }
  return function == UnaryFunction::relu || function == UnaryFunction::sigmoid ||
         (function == UnaryFunction::clip && low >= 0);
}

/// True when the pool, padded itself, gives what it gives for the padded tensor.
bool pool_takes(const Rewriter& rewriter, const fb::PoolAttrsT& pool, const Padding& padding) {
  if (pool.ceil_mode) return false;
  const bool unpadded =
      std::all_of(pool.pads.begin(), pool.pads.end(), [](std::int64_t pad) { return pad == 0; });
  if (pool.function == fb::PoolFunction::average)
    return padding.value == 0 && (unpadded || pool.count_include_pad);
  if (pool.function != fb::PoolFunction::maximum) return false;
  for (std::size_t i = 0; i < padding.pads.size(); ++i)
    if (padding.pads[i] >= pool.kernel[i % pool.kernel.size()]) return false;
  if (padding.value <= static_cast<double>(std::numeric_limits<float>::lowest())) return true;
  return padding.value == 0 && unpadded && never_negative(rewriter, padding.x);
}

bool pad_into_pool(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto padding = spatial_padding(rewriter, node.inputs[0]);
  auto attributes = node.attrs.unpack<fb::PoolAttrs>();
  if (!padding || node.outputs.size() > 1 || !pool_takes(rewriter, attributes, *padding))
    return false;
  if (attributes.function == fb::PoolFunction::average) attributes.count_include_pad = true;
  attributes.pads = sum(attributes.pads, padding->pads);
  rewriter.replace(node.outputs[0], rewriter.add(node.op, attributes, {padding->x}, node.name));
  return true;
}

bool fuse(Rewriter& rewriter) {
  switch (rewriter.node().op) {
    case OpKind::conv:
      return pad_into_conv(rewriter);
    case OpKind::pool:
      return pad_into_pool(rewriter);
    default:
      return false;
  }
}

}  // namespace

bool fuse_pads(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
