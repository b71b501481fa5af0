#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

template <typename From, typename To>
__global__ void cast_elements(std::int64_t count, const From* x, To* y) {
  const std::int64_t i = global_thread();
  if (i < count) y[i] = from_float<To>(read_number(x[i]));
}

template <typename F>
auto dispatch_source(DType dtype, F&& f) {
  if (dtype == DType::boolean) return f(std::type_identity<bool>{});
  return dispatch_number(dtype, std::forward<F>(f));
}

class Cast final : public Kernel {
 public:
  explicit Cast(const KernelSpec& spec)
      : from_(spec.input(0).dtype), to_(spec.output(0).dtype), count_(spec.input(0).elements()) {
    dispatch_source(from_, [](auto) {});
    dispatch_float(to_, [](auto) {});
  }
  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_source(from_, [&](auto from) {
      dispatch_float(to_, [&](auto to) {
        using From = typename decltype(from)::type;
        using To = typename decltype(to)::type;
        check(Launch<cast_elements<From, To>>::run(blocks_for(count_, kThreads), kThreads,
                                                   args.stream(), count_, args.input<From>(0),
                                                   args.output<To>(0)),
              "cast");
      });
    });
  }

 private:
  DType from_, to_;
  std::int64_t count_;
};

}  // namespace

KernelPtr make_cast(const KernelSpec& spec) { return make_kernel<Cast>(spec.memory, spec); }

}  // namespace skiff::cuda
