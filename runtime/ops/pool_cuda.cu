#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/window.cuh"
#include "runtime/ops/pool.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// A thread an element of y; neighbours share a pixel, so that reads lie side by side.
template <typename T, bool kMaximum>
__global__ void pool_windows(Window w, bool count_pads, std::int64_t count, const T* x, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const OutputPlace at(w, i);
  float value = kMaximum ? -INFINITY : 0.0f;
  int inside = 0, counted = 0;
  for (int d = 0; d < w.kernel[0]; ++d)
    for (int h = 0; h < w.kernel[1]; ++h)
      for (int v = 0; v < w.kernel[2]; ++v) {
        const TapPlace tap(w, at, d, h, v);
        counted += tap.padded ? 1 : 0;
        if (!tap.inside) continue;
        ++inside;
        const float element = to_float(x[tap.pixel * w.channels + at.channel]);
        if (kMaximum)
          value = value > element || value != value ? value : element;
        else
          value += element;
      }
  if (!kMaximum) value /= static_cast<float>(max(count_pads ? counted : inside, 1));
  y[i] = from_float<T>(value);
}

class Pool final : public Kernel {
 public:
  explicit Pool(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype), count_(spec.output(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::PoolAttrs>();
    if (attrs.function() == fb::PoolFunction::lp) refuse("no GPU kernel for lp pooling");
    if (spec.outputs.size() > 1) refuse("no GPU kernel for the indices of maxima");
    maximum_ = attrs.function() == fb::PoolFunction::maximum;
    count_pads_ = attrs.count_include_pad();
    const PoolGeometry geometry = read_pool_geometry(spec.node);
    window_ = make_window(geometry, geometry.channels);
    blocks_for(count_, kThreads);
    dispatch_float(dtype_, [](auto) {});
  }

  const char* algorithm() const noexcept override { return "window"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      maximum_ ? run<T, true>(args) : run<T, false>(args);
    });
  }

 private:
  template <typename T, bool kMaximum>
  void run(const LaunchArgs& args) const {
    check(Launch<pool_windows<T, kMaximum>>::run(blocks_for(count_, kThreads), kThreads,
                                                 args.stream(), window_, count_pads_, count_,
                                                 args.input<T>(0), args.output<T>(0)),
          "pool");
  }

  DType dtype_;
  std::int64_t count_;
  bool maximum_ = false, count_pads_ = false;
  Window window_{};
};

}  // namespace

KernelPtr make_pool(const KernelSpec& spec) { return make_kernel<Pool>(spec.memory, spec); }

}  // namespace skiff::cuda
