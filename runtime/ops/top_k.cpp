#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_top_k(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::TopKAttrs>();
  const TensorInfo& x = node.input(0);
  const int axis = read_axis(node, attrs.axis(), x.shape.rank());
  const std::int64_t k = node.dim(attrs.k());
  check(node, k >= 0 && k <= x.shape[axis], "k is ", k, ", must be in [0, ", x.shape[axis], "]");
  check(node, holds(NumericTypes{}, x.dtype), "operand is ", x.dtype, ", must be a number");
  outputs[0].dtype = x.dtype;
  outputs[1].dtype = DType::int64;
  outputs[0].shape = x.shape;
  outputs[0].shape[axis] = k;
  outputs[1].shape = outputs[0].shape;
}

}  // namespace skiff
