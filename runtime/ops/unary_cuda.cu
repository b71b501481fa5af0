#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/elementwise.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void map_elements(Activation f, std::int64_t count, const T* x, T* y) {
  const std::int64_t i = global_thread();
  if (i < count) y[i] = from_float<T>(apply(f, to_float(x[i])));
}

bool known(fb::UnaryFunction f) {
  return f <= fb::UnaryFunction::cos && f != fb::UnaryFunction::none;
}

class Unary final : public Kernel {
 public:
  explicit Unary(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::UnaryAttrs>();
    if (!known(attrs.function())) refuse("no GPU kernel for this function");
    function_ = {attrs.function(), attrs.alpha(), attrs.beta()};
    count_ = spec.input(0).elements();
    dispatch_float(dtype_, [](auto) {});
  }

  bool can_overwrite(int) const noexcept override { return true; }
  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<map_elements<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(),
                                         function_, count_, args.input<T>(0), args.output<T>(0)),
            "unary");
    });
  }

 private:
  DType dtype_;
  Activation function_;
  std::int64_t count_ = 0;
};

}  // namespace

KernelPtr make_unary(const KernelSpec& spec) { return make_kernel<Unary>(spec.memory, spec); }

}  // namespace skiff::cuda
