#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// y[..., i, ...] = x[..., indices[..., i, ...], ...]; indices may be shorter than x on other axes.
void infer_gather_elements(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1);
  const int axis = read_axis(node, node.attrs<fb::GatherAttrs>().axis(), x.shape.rank());
  check_index_dtype(node, indices);
  check_index_shape(node, x.shape, indices.shape, axis);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = indices.shape;
}

}  // namespace skiff
