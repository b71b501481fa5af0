#include "runtime/ops/attributes.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

/// y = x with its axis replaced by the axes of indices; the first batch_dims axes are common.
void infer_gather(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1);
  const auto& attrs = node.attrs<fb::GatherAttrs>();
  const int axis = read_axis(node, attrs.axis(), x.shape.rank());
  check_index_dtype(node, indices);
  const std::int64_t batch = attrs.batch_dims();
  check(node, batch >= 0 && batch <= axis && batch <= indices.shape.rank(), "batch_dims is ", batch,
        ", must be in [0, ", std::min(axis, indices.shape.rank()), "]");
  const int common = static_cast<int>(batch);
  for (int a = 0; a < common; ++a)
    check(node, x.shape[a] == indices.shape[a], "batch axis ", a, " differs: ", x.shape, " and ",
          indices.shape);
  const int rank = x.shape.rank() - 1 + indices.shape.rank() - common;
  check(node, rank <= kMaxRank, "the result would have ", rank, " axes, at most ", kMaxRank,
        " are possible");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = Shape(x.shape.extents().first(static_cast<std::size_t>(axis)));
  for (int a = common; a < indices.shape.rank(); ++a) outputs[0].shape.push_back(indices.shape[a]);
  for (int a = axis + 1; a < x.shape.rank(); ++a) outputs[0].shape.push_back(x.shape[a]);
}

}  // namespace skiff
