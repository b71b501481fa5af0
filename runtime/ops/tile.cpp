#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_tile(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const Shape repeats = read_dims(node, node.attrs<fb::ShapeAttrs>().shape(), "repeats");
  check(node, repeats.rank() == x.shape.rank(), "repeats has ", repeats.rank(),
        " entries, operand has ", x.shape.rank(), " axes");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {};
  for (int axis = 0; axis < repeats.rank(); ++axis) {
    const auto extent = checked_mul(x.shape[axis], repeats[axis]);
    check(node, extent.has_value(), "axis ", axis, " repeated ", repeats[axis],
          " times is too long");
    outputs[0].shape.push_back(*extent);
  }
}

}  // namespace skiff
