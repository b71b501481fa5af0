#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_expand(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  outputs[0].dtype = x.dtype;
  outputs[0].shape =
      broadcast(node, x.shape, read_dims(node, node.attrs<fb::ShapeAttrs>().shape(), "shape"));
}

}  // namespace skiff
