#include "runtime/ops/copy_kernel.h"
#include "runtime/ops/ops.h"

namespace skiff {

KernelPtr make_transpose_cpu(const KernelSpec& spec) {
  const TensorInfo& x = spec.input(0);
  const auto* perm = spec.node.attrs<fb::TransposeAttrs>().perm();
  const Strides strides = row_major(x.shape);
  Strides from{};
  for (int axis = 0; axis < x.shape.rank(); ++axis)
    from[at(axis)] = strides[at(static_cast<int>(perm->Get(static_cast<unsigned>(axis))))];
  return make_kernel<StridedCopyKernel>(spec.memory, size_of(x.dtype), spec.output(0).shape, from);
}

}  // namespace skiff
