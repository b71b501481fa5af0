#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {

std::int64_t most_non_zero(const NodeView& node) { return node.input(0).shape.elements(); }

/// The indices of all elements that are not zero, an axis a row: int64 [rank of x, count].
void infer_non_zero(const NodeView& node, std::span<TensorInfo> outputs) {
  outputs[0].dtype = DType::int64;
  outputs[0].shape = {node.input(0).shape.rank(), count_or(node, most_non_zero(node))};
}

}  // namespace skiff
