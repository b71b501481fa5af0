#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/scatter.h"

namespace skiff {

/// y = x, then y[..., indices[..., i, ...], ...] = reduction of itself and updates[..., i, ...], in
/// the order of the indices.
void infer_scatter_elements(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1), &updates = node.input(2);
  const auto& attrs = node.attrs<fb::ScatterAttrs>();
  const int axis = read_axis(node, attrs.axis(), x.shape.rank());
  check_reduction(node, attrs, x, updates);
  check_index_dtype(node, indices);
  check_index_shape(node, x.shape, indices.shape, axis);
  check(node, updates.shape == indices.shape, "updates have shape ", updates.shape,
        ", indices have ", indices.shape);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
