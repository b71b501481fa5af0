#pragma once

#include <array>

#include "runtime/cuda/dispatch.h"
#include "runtime/ops/strided.h"

namespace skiff::cuda {

/// Where the elements of up to three operands stand that broadcast to one shape; passed to kernels
/// by value.
template <int kOperands>
struct Broadcast {
  int rank = 1;
  int extents[kMaxRank] = {1};
  int strides[kOperands][kMaxRank] = {};

  Broadcast() = default;
  Broadcast(const std::array<Shape, kOperands>& shapes, const Shape& to) {
    std::array<Strides, kOperands> own;
    for (int n = 0; n < kOperands; ++n) own[at(n)] = broadcast_strides(shapes[at(n)], to);
    *this = Broadcast(StridedLoop<kOperands>(to, own));
  }
  /// Operands that are walked by strides of any other kind.
  explicit Broadcast(const StridedLoop<kOperands>& loop) : rank(loop.rank) {
    for (int axis = 0; axis < rank; ++axis) {
      extents[axis] = narrow(loop.extents[at(axis)]);
      for (int n = 0; n < kOperands; ++n) strides[n][axis] = narrow(loop.strides[at(n)][at(axis)]);
    }
  }

  /// The places of all operands for element `index` of the result.
  __device__ void locate(unsigned index, unsigned (&places)[kOperands]) const {
    for (int n = 0; n < kOperands; ++n) places[n] = 0;
    for (int axis = rank - 1; axis >= 0; --axis) {
      const unsigned extent = static_cast<unsigned>(extents[axis]);
      const unsigned next = index / extent, inside = index - next * extent;
      for (int n = 0; n < kOperands; ++n)
        places[n] += inside * static_cast<unsigned>(strides[n][axis]);
      index = next;
    }
  }
};

}  // namespace skiff::cuda
