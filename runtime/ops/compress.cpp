#include <algorithm>

#include "runtime/ops/attributes.h"
#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// The axis; -1: x is taken as one row.
int axis_of(const NodeView& node) {
  const std::int64_t axis = node.attrs<fb::AxisAttrs>().axis();
  return axis == -1 ? -1 : read_axis(node, axis, node.input(0).shape.rank());
}

}  // namespace

std::int64_t most_compress(const NodeView& node) {
  const int axis = axis_of(node);
  const Shape& x = node.input(0).shape;
  return std::min(axis < 0 ? x.elements() : x[axis], node.input(1).shape.elements());
}

/// The slices of x along an axis whose condition holds; a condition may be shorter than the axis,
/// what it does not reach is dropped.
void infer_compress(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &condition = node.input(1);
  const int axis = axis_of(node);
  check(node, condition.dtype == DType::boolean && condition.shape.rank() == 1, "condition is ",
        condition.dtype, " ", condition.shape, ", must be bool of one axis");
  const std::int64_t count = count_or(node, most_compress(node));
  outputs[0].dtype = x.dtype;
  if (axis < 0) {
    outputs[0].shape = {count};
  } else {
    outputs[0].shape = x.shape;
    outputs[0].shape[axis] = count;
  }
}

}  // namespace skiff
