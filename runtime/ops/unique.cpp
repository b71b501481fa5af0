#include "runtime/ops/attributes.h"
#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

int axis_of(const NodeView& node) {
  const std::int64_t axis = node.attrs<fb::UniqueAttrs>().axis();
  return axis == -1 ? -1 : read_axis(node, axis, node.input(0).shape.rank());
}

}  // namespace

std::int64_t most_unique(const NodeView& node) {
  const int axis = axis_of(node);
  const Shape& x = node.input(0).shape;
  return axis < 0 ? x.elements() : x[axis];
}

/// The distinct slices of x along an axis. Further outputs, int64: for each where it stands first
/// [count]; for each slice of x which one it is [extent]; how often each occurs [count].
void infer_unique(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const int axis = axis_of(node);
  const std::int64_t extent = most_unique(node), count = count_or(node, extent);
  outputs[0].dtype = x.dtype;
  if (axis < 0) {
    outputs[0].shape = {count};
  } else {
    outputs[0].shape = x.shape;
    outputs[0].shape[axis] = count;
  }
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    outputs[i].dtype = DType::int64;
    outputs[i].shape = {i == 2 ? extent : count};
  }
}

}  // namespace skiff
