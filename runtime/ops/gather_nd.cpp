#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// The last axis of indices holds tuples of k indices into axes [batch_dims, batch_dims + k) of x.
void infer_gather_nd(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1);
  const std::int64_t batch = node.attrs<fb::GatherAttrs>().batch_dims();
  check_index_dtype(node, indices);
  check(node, indices.shape.rank() >= 1, "indices need an axis");
  check(node, batch >= 0 && batch < std::min(x.shape.rank(), indices.shape.rank()),
        "batch_dims is ", batch, ", must be less than the ranks of ", x.shape, " and ",
        indices.shape);
  const int common = static_cast<int>(batch);
  for (int a = 0; a < common; ++a)
    check(node, x.shape[a] == indices.shape[a], "batch axis ", a, " differs: ", x.shape, " and ",
          indices.shape);
  const std::int64_t depth = indices.shape.back();
  check(node, depth >= 1 && depth <= x.shape.rank() - batch, "tuples of ", depth,
        " indices do not fit ", x.shape);
  const int inner = common + static_cast<int>(depth);
  check(node, indices.shape.rank() - 1 + x.shape.rank() - inner <= kMaxRank,
        "the result would have more than ", kMaxRank, " axes");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {};
  for (int a = 0; a + 1 < indices.shape.rank(); ++a) outputs[0].shape.push_back(indices.shape[a]);
  for (int a = inner; a < x.shape.rank(); ++a) outputs[0].shape.push_back(x.shape[a]);
}

}  // namespace skiff
