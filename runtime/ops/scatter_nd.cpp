#include "runtime/ops/scatter.h"

#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {

void check_reduction(const NodeView& node, const fb::ScatterAttrs& attrs, const TensorInfo& x,
                     const TensorInfo& updates) {
  check(node,
        attrs.reduction() >= fb::ScatterReduction::MIN &&
            attrs.reduction() <= fb::ScatterReduction::MAX,
        "reduction ", static_cast<int>(attrs.reduction()), " is unknown");
  check(node, updates.dtype == x.dtype, "updates are ", updates.dtype, ", operand is ", x.dtype);
}

/// y = x, then the blocks that the tuples in the last axis of indices name are combined with
/// updates, in the order of the tuples.
void infer_scatter_nd(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo &x = node.input(0), &indices = node.input(1), &updates = node.input(2);
  check_reduction(node, node.attrs<fb::ScatterAttrs>(), x, updates);
  check_index_dtype(node, indices);
  check(node, indices.shape.rank() >= 1, "indices need an axis");
  const std::int64_t depth = indices.shape.back();
  check(node, depth >= 1 && depth <= x.shape.rank(), "tuples of ", depth, " indices do not fit ",
        x.shape);
  const int outer = indices.shape.rank() - 1, inner = static_cast<int>(depth);
  bool fits = updates.shape.rank() == outer + x.shape.rank() - inner;
  for (int a = 0; fits && a < updates.shape.rank(); ++a)
    fits = updates.shape[a] == (a < outer ? indices.shape[a] : x.shape[a - outer + inner]);
  check(node, fits, "updates of shape ", updates.shape, " do not fit indices ", indices.shape,
        " into ", x.shape);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
