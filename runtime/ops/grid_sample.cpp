#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_grid_sample(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::GridSampleAttrs>();
  const TensorInfo &x = node.input(0), &grid = node.input(1);
  const int axes = x.shape.rank() - 2;
  check(node, attrs.mode() <= fb::ResizeMode::MAX, "mode ", static_cast<int>(attrs.mode()),
        " is not known");
  check(node, attrs.padding() <= fb::GridPadding::MAX, "padding ",
        static_cast<int>(attrs.padding()), " is not known");
  check(node, axes >= 1 && axes <= 3, "operand ", x.shape, " must have 1 to 3 spatial axes");
  check(node, holds(FloatTypes{}, x.dtype) && grid.dtype == x.dtype, "operands are ", x.dtype,
        " and ", grid.dtype, ", must be one type of float");
  check(node,
        grid.shape.rank() == x.shape.rank() && grid.shape[0] == x.shape[0] &&
            grid.shape.back() == axes,
        "the grid ", grid.shape, " does not fit ", x.shape);
  check(node, x.shape.elements(1, axes + 1) > 0 || grid.elements() == 0, "operand ", x.shape,
        " has no pixels to sample");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = grid.shape;
  outputs[0].shape[axes + 1] = x.shape.back();
}

}  // namespace skiff
