#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

struct Triangle {
  std::int64_t rows, columns;
  std::int64_t k;  ///< the diagonal that bounds what stays, upwards or downwards
  bool upper;
};

template <typename T>
__global__ void keep_triangle(Triangle t, std::int64_t elements, const T* x, T* y) {
  const std::int64_t i = global_thread();
  if (i >= elements) return;
  const std::int64_t row = i / t.columns, diagonal = i - row * t.columns - row % t.rows;
  y[i] = (t.upper ? diagonal >= t.k : diagonal <= t.k) ? x[i] : T(0);
}

class Trilu final : public Kernel {
 public:
  explicit Trilu(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype), elements_(spec.input(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::TriluAttrs>();
    const Shape& x = spec.input(0).shape;
    triangle_ = {x[x.rank() - 2], x.back(), attrs.k(), attrs.upper()};
    blocks_for(elements_, kThreads);
  }

  bool can_overwrite(int) const noexcept override { return true; }
  const char* algorithm() const noexcept override { return "pointwise"; }

  void enqueue(const LaunchArgs& args) override {
    if (elements_ == 0) return;
    dispatch_size(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(
          Launch<keep_triangle<T>>::run(blocks_for(elements_, kThreads), kThreads, args.stream(),
                                        triangle_, elements_, args.input<T>(0), args.output<T>(0)),
          "trilu");
    });
  }

 private:
  DType dtype_;
  std::int64_t elements_;
  Triangle triangle_{};
};

}  // namespace

KernelPtr make_trilu(const KernelSpec& spec) { return make_kernel<Trilu>(spec.memory, spec); }

}  // namespace skiff::cuda
