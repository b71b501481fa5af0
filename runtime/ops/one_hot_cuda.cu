#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/indices.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// y [outer, depth, inner] of indices [outer, inner]; `values` are off and on.
template <typename T>
__global__ void mark_indices(AxisSplit y_axes, std::int64_t elements, Indices indices,
                             const T* values, T* y) {
  const std::int64_t i = global_thread();
  if (i >= elements) return;
  const std::int64_t row = i / y_axes.inner, outer = row / y_axes.extent;
  const std::int64_t entry = outer * y_axes.inner + (i - row * y_axes.inner);
  y[i] = values[indices.wrapped(entry, y_axes.extent) == row - outer * y_axes.extent ? 1 : 0];
}

class OneHot final : public Kernel {
 public:
  explicit OneHot(const KernelSpec& spec)
      : dtype_(spec.output(0).dtype),
        index_type_(spec.input(0).dtype),
        elements_(spec.output(0).elements()),
        axes_(split_at(spec.output(0).shape,
                       static_cast<int>(spec.node.attrs<fb::OneHotAttrs>().axis()))) {
    blocks_for(elements_, kThreads);
  }

  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (elements_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<mark_indices<T>>::run(
                blocks_for(elements_, kThreads), kThreads, args.stream(), axes_, elements_,
                Indices(args.input<void>(0), index_type_), args.input<T>(1), args.output<T>(0)),
            "one_hot");
    });
  }

 private:
  DType dtype_, index_type_;
  std::int64_t elements_;
  AxisSplit axes_;
};

}  // namespace

KernelPtr make_one_hot(const KernelSpec& spec) { return make_kernel<OneHot>(spec.memory, spec); }

}  // namespace skiff::cuda
