#include "runtime/ops/walk.h"

namespace skiff {
namespace {

Walk transpose_walk(const NodeView& node, const Shape& result) {
  const auto* perm = node.attrs<fb::TransposeAttrs>().perm();
  const Strides strides = row_major(node.input(0).shape);
  Walk walk;
  for (int axis = 0; axis < result.rank(); ++axis)
    walk.add(result[axis], strides[at(static_cast<int>(perm->Get(static_cast<unsigned>(axis))))]);
  return walk;
}

Walk slice_walk(const NodeView& node, const Shape& result) {
  const auto& attrs = node.attrs<fb::SliceAttrs>();
  const Strides strides = row_major(node.input(0).shape);
  const bool empty = result.elements() == 0;
  Walk walk;
  // A step along an axis of at most one element is never taken and may be any number.
  for (int axis = 0; axis < result.rank(); ++axis) {
    const auto i = static_cast<unsigned>(axis);
    const std::int64_t stride = strides[at(axis)];
    if (!empty) walk.start += node.dim(attrs.starts()->Get(i)) * stride;
    walk.add(result[axis], !empty && result[axis] > 1 ? stride * attrs.steps()->Get(i) : 0);
  }
  return walk;
}

Walk expand_walk(const NodeView& node, const Shape& result) {
  const Strides strides = broadcast_strides(node.input(0).shape, result);
  Walk walk;
  for (int axis = 0; axis < result.rank(); ++axis) walk.add(result[axis], strides[at(axis)]);
  return walk;
}

/// The output's axes [N, (s, cell)..., C] over the channels [cells..., C] or, column-row-depth,
/// [C, cells...].
Walk depth_to_space_walk(const NodeView& node, const Shape& result) {
  const Shape& x = node.input(0).shape;
  const auto& attrs = node.attrs<fb::BlockAttrs>();
  const std::int64_t channels = result.back(), block = attrs.block_size();
  const Strides strides = row_major(x);
  std::int64_t cells = 1;
  for (int axis = 1; axis + 1 < x.rank(); ++axis) cells *= block;
  std::int64_t cell = (attrs.crd() ? 1 : channels) * cells;
  Walk walk;
  walk.add(x[0], strides[0]);
  for (int axis = 1; axis + 1 < x.rank(); ++axis) {
    cell /= block;
    walk.add(x[axis], strides[at(axis)]);
    walk.add(block, cell);
  }
  walk.add(channels, attrs.crd() ? cells : 1);
  return walk;
}

Walk space_to_depth_walk(const NodeView& node, const Shape& result) {
  const Shape& x = node.input(0).shape;
  const auto& attrs = node.attrs<fb::BlockAttrs>();
  const Strides strides = row_major(x);
  Walk walk;
  walk.add(x[0], strides[0]);
  for (int axis = 1; axis + 1 < x.rank(); ++axis)
    walk.add(result[axis], strides[at(axis)] * attrs.block_size());
  if (attrs.crd()) walk.add(x.back(), 1);
  for (int axis = 1; axis + 1 < x.rank(); ++axis) walk.add(attrs.block_size(), strides[at(axis)]);
  if (!attrs.crd()) walk.add(x.back(), 1);
  return walk;
}

}  // namespace

Walk walk_of(const NodeView& node, const Shape& result) {
  switch (node.op) {
    case fb::OpKind::transpose:
      return transpose_walk(node, result);
    case fb::OpKind::slice:
      return slice_walk(node, result);
    case fb::OpKind::expand:
      return expand_walk(node, result);
    case fb::OpKind::depth_to_space:
      return depth_to_space_walk(node, result);
    case fb::OpKind::space_to_depth:
      return space_to_depth_walk(node, result);
    default:
      fail(ErrorCode::internal, "operator ", static_cast<int>(node.op), " is no walk");
  }
}

}  // namespace skiff
