#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_max_unpool(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1);
  const auto& attrs = node.attrs<fb::MaxUnpoolAttrs>();
  check(node, indices.dtype == DType::int64 && indices.shape == x.shape, "indices are ",
        indices.dtype, " ", indices.shape, ", must be int64 ", x.shape);
  check(node, x.shape.rank() >= 3, "input has shape ", x.shape, ", needs [N, spatial axes, C]");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = read_dims(node, attrs.shape(), "shape");
  const Shape& y = outputs[0].shape;
  check(node, y.rank() == x.shape.rank() && y[0] == x.shape[0] && y.back() == x.shape.back(),
        "shape ", y, " does not agree with the input's ", x.shape, " in batch and channels");
}

}  // namespace skiff
