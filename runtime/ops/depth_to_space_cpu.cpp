#include "runtime/ops/copy_kernel.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// An index space with its operand's strides.
struct Walk {
  Shape extents;
  Strides from{};
  void add(std::int64_t extent, std::int64_t stride) noexcept {
    from[at(extents.rank())] = stride;
    extents.push_back(extent);
  }
};

}  // namespace

/// The output's axes [N, (s, cell)..., C] over the channels [cells..., C] or, column-row-depth,
/// [C, cells...].
KernelPtr make_depth_to_space_cpu(const KernelSpec& spec) {
  const TensorInfo& x = spec.input(0);
  const auto& attrs = spec.node.attrs<fb::BlockAttrs>();
  const std::int64_t channels = spec.output(0).shape.back(), block = attrs.block_size();
  const Strides strides = row_major(x.shape);
  const int rank = x.shape.rank();
  std::int64_t cells = 1;
  for (int axis = 1; axis + 1 < rank; ++axis) cells *= block;
  std::int64_t cell = (attrs.crd() ? 1 : channels) * cells;
  Walk walk;
  walk.add(x.shape[0], strides[0]);
  for (int axis = 1; axis + 1 < rank; ++axis) {
    cell /= block;
    walk.add(x.shape[axis], strides[at(axis)]);
    walk.add(block, cell);
  }
  walk.add(channels, attrs.crd() ? cells : 1);
  return make_kernel<StridedCopyKernel>(spec.memory, size_of(x.dtype), walk.extents, walk.from);
}

KernelPtr make_space_to_depth_cpu(const KernelSpec& spec) {
  const TensorInfo& x = spec.input(0);
  const auto& attrs = spec.node.attrs<fb::BlockAttrs>();
  const Strides strides = row_major(x.shape);
  const int rank = x.shape.rank();
  Walk walk;
  walk.add(x.shape[0], strides[0]);
  for (int axis = 1; axis + 1 < rank; ++axis)
    walk.add(spec.output(0).shape[axis], strides[at(axis)] * attrs.block_size());
  if (attrs.crd()) walk.add(x.shape.back(), 1);
  for (int axis = 1; axis + 1 < rank; ++axis) walk.add(attrs.block_size(), strides[at(axis)]);
  if (!attrs.crd()) walk.add(x.shape.back(), 1);
  return make_kernel<StridedCopyKernel>(spec.memory, size_of(x.dtype), walk.extents, walk.from);
}

}  // namespace skiff
