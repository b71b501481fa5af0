#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// The first lengths[b] entries along the time axis are reversed in batch b; the rest stays.
void infer_reverse_sequence(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &lengths = node.input(1);
  const auto& attrs = node.attrs<fb::ReverseSequenceAttrs>();
  const int batch = read_axis(node, attrs.batch_axis(), x.shape.rank(), "batch_axis");
  const int time = read_axis(node, attrs.time_axis(), x.shape.rank(), "time_axis");
  check(node, batch != time, "batch_axis and time_axis are both ", batch);
  check_index_dtype(node, lengths);
  check(node, lengths.shape == Shape{x.shape[batch]}, "lengths have shape ", lengths.shape,
        ", must be [", x.shape[batch], "]");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
