#pragma once

#include "runtime/ops/strided_copy.h"
#include "runtime/ops/walk.h"

namespace skiff {

/// A kernel whose output 0 is dense and each of whose elements is one of input 0, at strides.
class StridedCopyKernel final : public Kernel {
 public:
  /// `walk` is the output's index space (the output itself or a finer split of its axes), `from`
  /// the strides of input 0 along it, `start` where it begins, all in elements.
  StridedCopyKernel(std::size_t element_bytes, const Shape& walk, const Strides& from,
                    std::int64_t start = 0)
      : copy_(element_bytes, walk, from, row_major(walk)),
        start_(start * static_cast<std::int64_t>(element_bytes)) {}

  Status run(const RunArgs& args) noexcept override {
    copy_.run(args, args.input<std::byte>(0) + start_, args.outputs[0]);
    return {};
  }
  const char* algorithm() const noexcept override { return copy_.algorithm(); }

 private:
  StridedCopy copy_;
  std::int64_t start_;  // bytes
};

/// The kernel of an operator that is one walk over its operand.
inline KernelPtr make_walk_cpu(const KernelSpec& spec) {
  const Walk walk = walk_of(spec.node, spec.output(0).shape);
  return make_kernel<StridedCopyKernel>(spec.memory, size_of(spec.input(0).dtype), walk.extents,
                                        walk.from, walk.start);
}

}  // namespace skiff
