#include "converters/passes/layout/permuted.h"

#include <algorithm>

namespace skiff::passes {
namespace {

using fb::OpKind;

int position(const Perm& perm, std::int64_t axis) {
  return static_cast<int>(std::find(perm.begin(), perm.end(), static_cast<int>(axis)) -
                          perm.begin());
}

template <typename Table>
Permuted axis_moved(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<Table>();
  attributes.axis = position(perm, attributes.axis);
  return {attributes, perm};
}

/// The permutation between two lists of the same labels: to[i] == from[result[i]].
Perm relabel(const std::vector<int>& from, const std::vector<int>& to) {
  Perm result;
  for (int label : to) result.push_back(position(from, label));
  return result;
}

/// Axes that remain of 0..rank-1, named by the operand's axes, when those in `gone` are dropped.
std::vector<int> remaining(const Perm& axes, const std::vector<std::int64_t>& gone) {
  std::vector<int> result;
  for (int axis : axes)
    if (std::find(gone.begin(), gone.end(), axis) == gone.end()) result.push_back(axis);
  return result;
}

Permuted reduce(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<fb::ReduceAttrs>();
  const std::vector<std::int64_t> axes = attributes.axes;
  for (std::int64_t& axis : attributes.axes) axis = position(perm, axis);
  std::sort(attributes.axes.begin(), attributes.axes.end());
  if (attributes.keep_dims) return {attributes, perm};
  const Perm all = identity_perm(static_cast<int>(perm.size()));
  return {attributes, relabel(remaining(all, axes), remaining(perm, axes))};
}

Permuted arg_reduce(const ir::Node& node, const Perm& perm) {
  const std::int64_t axis = node.attrs.get<fb::ArgReduceAttrs>().axis();
  Permuted result = axis_moved<fb::ArgReduceAttrs>(node, perm);
  if (node.attrs.get<fb::ArgReduceAttrs>().keep_dims()) return result;
  const Perm all = identity_perm(static_cast<int>(perm.size()));
  result.output = relabel(remaining(all, {axis}), remaining(perm, {axis}));
  return result;
}

/// Axes of a gather's result, by label: the data's own axes, and 100 + i for axis i of the indices.
std::vector<int> gathered(const Perm& axes, int axis, int index_rank) {
  std::vector<int> result;
  for (int label : axes) {
    if (label != axis) {
      result.push_back(label);
      continue;
    }
    for (int i = 0; i < index_rank; ++i) result.push_back(100 + i);
  }
  return result;
}

std::optional<Permuted> gather(const ir::Graph& graph, const ir::Node& node, const Perm& perm) {
  const auto& attributes = node.attrs.get<fb::GatherAttrs>();
  if (attributes.batch_dims() != 0) return std::nullopt;
  Permuted result = axis_moved<fb::GatherAttrs>(node, perm);
  const int axis = static_cast<int>(attributes.axis());
  const int index_rank = graph.value(node.inputs[1]).shape.rank();
  const Perm all = identity_perm(static_cast<int>(perm.size()));
  result.output = relabel(gathered(all, axis, index_rank), gathered(perm, axis, index_rank));
  return result;
}

Permuted slice(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<fb::SliceAttrs>();
  attributes.starts = permute(attributes.starts, perm);
  attributes.sizes = permute(attributes.sizes, perm);
  if (!attributes.steps.empty()) attributes.steps = permute(attributes.steps, perm);
  return {attributes, perm};
}

template <typename T>
std::vector<T> permute_pairs(const std::vector<T>& begins_then_ends, const Perm& perm) {
  std::vector<T> result;
  for (std::size_t half = 0; half < 2; ++half)
    for (int axis : perm)
      result.push_back(begins_then_ends[half * perm.size() + static_cast<std::size_t>(axis)]);
  return result;
}

Permuted pad(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<fb::PadAttrs>();
  attributes.pads = permute_pairs(attributes.pads, perm);
  return {attributes, perm};
}

Permuted shaped(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<fb::ShapeAttrs>();
  attributes.shape = permute(attributes.shape, perm);
  return {attributes, perm};
}

Permuted resize(const ir::Node& node, const Perm& perm) {
  auto attributes = node.attrs.unpack<fb::ResizeAttrs>();
  attributes.sizes = permute(attributes.sizes, perm);
  if (!attributes.scales.empty()) attributes.scales = permute(attributes.scales, perm);
  if (!attributes.roi.empty()) attributes.roi = permute_pairs(attributes.roi, perm);
  return {attributes, perm};
}

/// A scale for the whole operand has no axis; scales of blocks would have to be transposed too.
std::optional<Permuted> quantize(const ir::Graph& graph, const ir::Node& node, const Perm& perm) {
  const auto& attributes = node.attrs.get<fb::QuantizeAttrs>();
  if (attributes.block_size() != 0) return std::nullopt;
  if (graph.value(node.inputs[1]).shape.elements() == 1) return Permuted{node.attrs, perm};
  return axis_moved<fb::QuantizeAttrs>(node, perm);
}

/// Allowed when the normalised axes, the last ones, stay where they are.
std::optional<Permuted> layer_norm(const ir::Node& node, const Perm& perm) {
  const auto axis = static_cast<std::size_t>(node.attrs.get<fb::NormAttrs>().axis());
  for (std::size_t i = axis; i < perm.size(); ++i)
    if (perm[i] != static_cast<int>(i)) return std::nullopt;
  if (node.outputs.size() != 1) return std::nullopt;
  return Permuted{node.attrs, perm};
}

}  // namespace

std::optional<Permuted> permuted(const ir::Graph& graph, const ir::Node& node, const Perm& perm) {
  switch (node.op) {
    case OpKind::identity:
    case OpKind::cast:
    case OpKind::unary:
    case OpKind::binary:
    case OpKind::where:
      return Permuted{node.attrs, perm};
    case OpKind::concat:
      return axis_moved<fb::AxisAttrs>(node, perm);
    case OpKind::softmax:
      return axis_moved<fb::SoftmaxAttrs>(node, perm);
    case OpKind::cumulative:
      return axis_moved<fb::CumulativeAttrs>(node, perm);
    case OpKind::top_k:
      return axis_moved<fb::TopKAttrs>(node, perm);
    case OpKind::lp_norm:
      return axis_moved<fb::LpNormAttrs>(node, perm);
    case OpKind::gather_elements:
      return axis_moved<fb::GatherAttrs>(node, perm);
    case OpKind::scatter_elements:
      return axis_moved<fb::ScatterAttrs>(node, perm);
    case OpKind::gather:
      return gather(graph, node, perm);
    case OpKind::arg_reduce:
      return arg_reduce(node, perm);
    case OpKind::reduce:
      return reduce(node, perm);
    case OpKind::slice:
      return slice(node, perm);
    case OpKind::pad:
      return pad(node, perm);
    case OpKind::tile:
      return shaped(node, perm);
    case OpKind::expand:
      return shaped(node, perm);
    case OpKind::resize:
      return resize(node, perm);
    case OpKind::quantize:
    case OpKind::dequantize:
      return quantize(graph, node, perm);
    case OpKind::layer_norm:
      return layer_norm(node, perm);
    default:
      return std::nullopt;
  }
}

std::vector<std::size_t> data_inputs(const ir::Node& node) {
  switch (node.op) {
    case OpKind::binary:
    case OpKind::where:
    case OpKind::concat:
    case OpKind::gather_elements:
    case OpKind::scatter_elements: {
      std::vector<std::size_t> all(node.inputs.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
      return all;
    }
    default:
      return {0};
  }
}

}  // namespace skiff::passes
