#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// Keeps what lies on and above (upper) or below the k-th diagonal of the last two axes.
void infer_trilu(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  check(node, x.shape.rank() >= 2, "operand has ", x.shape.rank(), " axes, needs 2");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
