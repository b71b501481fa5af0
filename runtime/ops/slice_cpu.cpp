#include "runtime/ops/copy_kernel.h"
#include "runtime/ops/ops.h"

namespace skiff {

KernelPtr make_slice_cpu(const KernelSpec& spec) {
  const TensorInfo& x = spec.input(0);
  const Shape& shape = spec.output(0).shape;
  const auto& attrs = spec.node.attrs<fb::SliceAttrs>();
  Strides from = row_major(x.shape);
  std::int64_t start = 0;
  // A step along an axis of at most one element is never taken and may be any number.
  for (int axis = 0; axis < shape.rank() && shape.elements() > 0; ++axis) {
    const auto i = static_cast<unsigned>(axis);
    start += spec.node.dim(attrs.starts()->Get(i)) * from[at(axis)];
    from[at(axis)] = shape[axis] > 1 ? from[at(axis)] * attrs.steps()->Get(i) : 0;
  }
  return make_kernel<StridedCopyKernel>(spec.memory, size_of(x.dtype), shape, from, start);
}

}  // namespace skiff
