#include <skiff_device/launch.h>

#include "runtime/cuda/broadcast.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void choose_elements(Broadcast<3> operands, unsigned count, const bool* condition,
                                const T* a, const T* b, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  unsigned from[3];
  operands.locate(static_cast<unsigned>(i), from);
  y[i] = condition[from[0]] ? a[from[1]] : b[from[2]];
}

class Where final : public Kernel {
 public:
  explicit Where(const KernelSpec& spec)
      : dtype_(spec.output(0).dtype),
        operands_({spec.input(0).shape, spec.input(1).shape, spec.input(2).shape},
                  spec.output(0).shape),
        count_(static_cast<unsigned>(narrow(spec.output(0).elements()))) {}

  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<choose_elements<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(),
                                            operands_, count_, args.input<bool>(0),
                                            args.input<T>(1), args.input<T>(2), args.output<T>(0)),
            "where");
    });
  }

 private:
  DType dtype_;
  Broadcast<3> operands_;
  unsigned count_;
};

}  // namespace

KernelPtr make_where(const KernelSpec& spec) { return make_kernel<Where>(spec.memory, spec); }

}  // namespace skiff::cuda
