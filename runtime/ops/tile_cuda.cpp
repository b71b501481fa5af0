#include "runtime/cuda/copy.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"

namespace skiff::cuda {
namespace {

/// An axis that repeats is two of the walk: the repeats, which stand still, and the operand's own.
Walk tile_walk(const Shape& x, const Shape& y) {
  const Strides strides = row_major(x);
  Walk walk;
  const auto add = [&](std::int64_t extent, std::int64_t stride) {
    const int last = walk.extents.rank() - 1;
    if (extent == 1) return;
    if (last >= 0 && walk.from[at(last)] == extent * stride) {
      walk.extents[last] *= extent;
      walk.from[at(last)] = stride;
      return;
    }
    if (last + 1 == kMaxRank) refuse("too many axes repeat for one walk over the operand");
    walk.add(extent, stride);
  };
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x[axis] > 0) add(y[axis] / x[axis], 0);
    add(x[axis], strides[at(axis)]);
  }
  return walk;
}

}  // namespace

KernelPtr make_tile(const KernelSpec& spec) {
  return make_walk(spec, tile_walk(spec.input(0).shape, spec.output(0).shape));
}

}  // namespace skiff::cuda
