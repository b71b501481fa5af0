#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_identity(const NodeView& node, std::span<TensorInfo> outputs) {
  outputs[0].dtype = node.input(0).dtype;
  outputs[0].shape = node.input(0).shape;
}

void infer_reshape(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = read_dims(node, node.attrs<fb::ShapeAttrs>().shape(), "shape");
  const auto bytes = checked_bytes(x.dtype, outputs[0].shape);
  require(bytes && *bytes == x.bytes(), ErrorCode::invalid_model, "node '", node.name,
          "' (reshape): ", x.shape, " cannot become ", outputs[0].shape);
}

}  // namespace skiff
