#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// values is [off, on]; an index outside [-depth, depth) gives a row of off.
void infer_one_hot(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &indices = node.input(0), &values = node.input(1);
  const auto& attrs = node.attrs<fb::OneHotAttrs>();
  check_index_dtype(node, indices);
  check(node, values.shape == Shape{2}, "values have shape ", values.shape, ", must be [2]");
  const int rank = indices.shape.rank();
  check(node, rank < kMaxRank, "indices have ", rank, " axes, the result would have more than ",
        kMaxRank);
  const int axis = read_axis(node, attrs.axis(), rank + 1);
  const std::int64_t depth = node.dim(attrs.depth());
  check(node, depth >= 0, "depth is ", depth);
  outputs[0].dtype = values.dtype;
  outputs[0].shape = {};
  for (int a = 0; a <= rank; ++a)
    outputs[0].shape.push_back(a == axis ? depth : indices.shape[a < axis ? a : a - 1]);
}

}  // namespace skiff
