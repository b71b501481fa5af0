#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_cumulative(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::CumulativeAttrs>();
  const TensorInfo& x = node.input(0);
  check(node, attrs.function() <= fb::CumulativeFunction::MAX, "function ",
        static_cast<int>(attrs.function()), " is not known");
  read_axis(node, attrs.axis(), x.shape.rank());
  check(node, holds(NumericTypes{}, x.dtype), "operand is ", x.dtype, ", must be a number");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
