#include "runtime/cuda/copy.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct CopyLoop {
  int rank;
  int extents[kMaxRank];
  std::int64_t from[kMaxRank], to[kMaxRank];
};

template <typename T>
__global__ void copy_strided(CopyLoop loop, std::int64_t elements, const T* from, T* to) {
  std::int64_t rest = global_thread();
  if (rest >= elements) return;
  std::int64_t read = 0, write = 0;
  for (int axis = loop.rank - 1; axis >= 0; --axis) {
    const std::int64_t next = rest / loop.extents[axis];
    const std::int64_t index = rest - next * loop.extents[axis];
    read += index * loop.from[axis];
    write += index * loop.to[axis];
    rest = next;
  }
  to[write] = from[read];
}

}  // namespace

StridedCopy::StridedCopy(DType dtype, const Shape& shape, const Strides& from, const Strides& to)
    : dtype_(dtype), loop_(shape, {from, to}), elements_(shape.elements()) {
  blocks_for(elements_, kThreads);
  for (int axis = 0; axis < loop_.rank; ++axis) narrow(loop_.extents[at(axis)]);
}

void StridedCopy::enqueue(const LaunchArgs& args, const void* from, void* to) const {
  if (elements_ == 0) return;
  CopyLoop loop{loop_.rank, {}, {}, {}};
  for (int axis = 0; axis < loop_.rank; ++axis) {
    loop.extents[axis] = static_cast<int>(loop_.extents[at(axis)]);
    loop.from[axis] = loop_.strides[0][at(axis)];
    loop.to[axis] = loop_.strides[1][at(axis)];
  }
  dispatch_size(dtype_, [&](auto type) {
    using T = typename decltype(type)::type;
    check(
        Launch<copy_strided<T>>::run(blocks_for(elements_, kThreads), kThreads, args.stream(), loop,
                                     elements_, static_cast<const T*>(from), static_cast<T*>(to)),
        "strided copy");
  });
}

namespace {

class WalkKernel final : public Kernel {
 public:
  WalkKernel(DType dtype, const Walk& walk)
      : copy_(dtype, walk.extents, walk.from, row_major(walk.extents)),
        start_(walk.start * static_cast<std::int64_t>(size_of(dtype))) {}
  const char* algorithm() const noexcept override { return "strided copy"; }
  void enqueue(const LaunchArgs& args) override {
    if (copy_.empty()) return;
    copy_.enqueue(args, args.input<std::byte>(0) + start_, args.output<void>(0));
  }

 private:
  StridedCopy copy_;
  std::int64_t start_;  // bytes
};

}  // namespace

KernelPtr make_walk(const KernelSpec& spec, const Walk& walk) {
  return make_kernel<WalkKernel>(spec.memory, spec.input(0).dtype, walk);
}
KernelPtr make_walk(const KernelSpec& spec) {
  return make_walk(spec, walk_of(spec.node, spec.output(0).shape));
}

const void* any_kernel() { return Launch<copy_strided<std::uint32_t>>::address(); }

}  // namespace skiff::cuda
