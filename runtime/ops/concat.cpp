#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_concat(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& first = node.input(0);
  const int rank = first.shape.rank();
  const int axis = read_axis(node, node.attrs<fb::AxisAttrs>().axis(), rank);
  Shape shape = first.shape;
  for (int i = 1; i < node.input_count(); ++i) {
    const TensorInfo& x = node.input(i);
    check(node, x.dtype == first.dtype, "input ", i, " is ", x.dtype, ", input 0 is ", first.dtype);
    check(node, x.shape.rank() == rank, "input ", i, " has ", x.shape.rank(), " axes, input 0 has ",
          rank);
    for (int a = 0; a < rank; ++a)
      check(node, a == axis || x.shape[a] == first.shape[a], "input ", i, " of shape ", x.shape,
            " does not fit ", first.shape, " outside axis ", axis);
    const auto sum = checked_add(shape[axis], x.shape[axis]);
    check(node, sum.has_value(), "the operands are too long together");
    shape[axis] = *sum;
  }
  outputs[0].dtype = first.dtype;
  outputs[0].shape = shape;
}

}  // namespace skiff
