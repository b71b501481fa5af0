#include <algorithm>

#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {

std::int64_t most_compress(const NodeView& node) {
  const std::int64_t axis = node.attrs<fb::AxisAttrs>().axis();
  return std::min(split_or_flat(node, node.input(0).shape, axis).extent,
                  node.input(1).shape.elements());
}

/// The slices of x along an axis whose condition holds; a condition may be shorter than the axis,
/// what it does not reach is dropped.
void infer_compress(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &condition = node.input(1);
  const std::int64_t most = most_compress(node);
  check(node, condition.dtype == DType::boolean && condition.shape.rank() == 1, "condition is ",
        condition.dtype, " ", condition.shape, ", must be bool of one axis");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = slices_of(x.shape, node.attrs<fb::AxisAttrs>().axis(), count_or(node, most));
}

}  // namespace skiff
