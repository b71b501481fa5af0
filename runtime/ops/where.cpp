#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_where(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &condition = node.input(0), &a = node.input(1), &b = node.input(2);
  check(node, condition.dtype == DType::boolean, "the condition is ", condition.dtype,
        ", must be bool");
  check(node, a.dtype == b.dtype, "operands are ", a.dtype, " and ", b.dtype, ", must be equal");
  outputs[0].dtype = a.dtype;
  outputs[0].shape = broadcast(node, condition.shape, broadcast(node, a.shape, b.shape));
}

}  // namespace skiff
