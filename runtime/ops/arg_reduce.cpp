#include <limits>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_arg_reduce(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::ArgReduceAttrs>();
  const TensorInfo& x = node.input(0);
  check(node, attrs.function() <= fb::ArgFunction::MAX, "function ",
        static_cast<int>(attrs.function()), " is not known");
  const int axis = read_axis(node, attrs.axis(), x.shape.rank());
  const auto index_type = static_cast<DType>(attrs.index_type());
  check(node, holds(IndexTypes{}, index_type), "index_type is ", static_cast<int>(index_type),
        ", must be int32 or int64");
  check(node, x.shape[axis] > 0, "axis ", axis, " of ", x.shape, " is empty");
  check(node,
        index_type == DType::int64 || x.shape[axis] <= std::numeric_limits<std::int32_t>::max(),
        "indices of axis ", axis, " need int64");
  outputs[0].dtype = index_type;
  outputs[0].shape = Shape();
  for (int i = 0; i < x.shape.rank(); ++i)
    if (i != axis || attrs.keep_dims()) outputs[0].shape.push_back(i == axis ? 1 : x.shape[i]);
}

}  // namespace skiff
