#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {

std::int64_t most_unique(const NodeView& node) {
  return split_or_flat(node, node.input(0).shape, node.attrs<fb::UniqueAttrs>().axis()).extent;
}

/// The distinct slices of x along an axis. Further outputs, int64: for each where it stands first
/// [count]; for each slice of x which one it is [extent]; how often each occurs [count].
void infer_unique(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const std::int64_t extent = most_unique(node), count = count_or(node, extent);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = slices_of(x.shape, node.attrs<fb::UniqueAttrs>().axis(), count);
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    outputs[i].dtype = DType::int64;
    outputs[i].shape = {i == 2 ? extent : count};
  }
}

}  // namespace skiff
