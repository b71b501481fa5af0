#pragma once

#include <cstdint>

#include "runtime/cuda/kernel.h"
#include "runtime/ops/strided.h"
#include "runtime/ops/walk.h"

namespace skiff::cuda {

/// Copies every element of a shape from one strided place to another: what transposes, slices,
/// repeats and block rearrangements come down to. Strides in elements, those of `from` may be zero
/// or negative.
class StridedCopy {
 public:
  StridedCopy(DType dtype, const Shape& shape, const Strides& from, const Strides& to);
  void enqueue(const LaunchArgs& args, const void* from, void* to) const;
  bool empty() const noexcept { return elements_ == 0; }

 private:
  DType dtype_;
  StridedLoop<2> loop_;
  std::int64_t elements_;
};

/// The kernel of an operator that is one walk over its operand.
KernelPtr make_walk(const KernelSpec& spec, const Walk& walk);
/// The same for the walks of ops/walk.h.
KernelPtr make_walk(const KernelSpec& spec);

/// Some kernel of the module, to ask for its code.
const void* any_kernel();

}  // namespace skiff::cuda
