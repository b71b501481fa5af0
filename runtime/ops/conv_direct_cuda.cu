#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/window.cuh"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 128;

struct Groups {
  int cin, cout;  ///< channels of a group
  int all_cin;
};

/// A thread an element of y. Weights as stored: [Cout, taps, Cin / groups].
template <typename T, typename Tap>
__global__ void convolve_direct(Window w, Groups g, Epilogue<T> epilogue, std::int64_t count,
                                const T* x, const T* weights, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const OutputPlace at(w, i);
  const int first = at.channel / g.cout * g.cin;
  const int taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
  const T* filter = weights + static_cast<std::int64_t>(at.channel) * taps * g.cin;
  float sum = 0.0f;
  for (int d = 0; d < w.kernel[0]; ++d)
    for (int h = 0; h < w.kernel[1]; ++h)
      for (int v = 0; v < w.kernel[2]; ++v, filter += g.cin) {
        const Tap tap(w, at, d, h, v);
        if (!tap.inside) continue;
        const T* pixel = x + tap.pixel * g.all_cin + first;
        for (int c = 0; c < g.cin; ++c) sum += to_float(pixel[c]) * to_float(filter[c]);
      }
  y[i] = epilogue.apply(sum, i, at.channel);
}

class DirectConv final : public StoredWeightsConv {
 public:
  explicit DirectConv(const ConvPlan& plan)
      : StoredWeightsConv(plan), window_(make_window(plan.geometry, plan.geometry.cout)) {
    const ConvGeometry& g = plan.geometry;
    groups_ = {narrow(g.group_cin()), narrow(g.group_cout()), narrow(g.cin)};
    blocks_for(plan.outputs(), kThreads);
  }

  const char* algorithm() const noexcept override { return "direct"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan().outputs() == 0) return;
    dispatch_float(plan().dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      plan().transposed ? run<T, TransposedTap>(args) : run<T, TapPlace>(args);
    });
  }

 private:
  template <typename T, typename Tap>
  void run(const LaunchArgs& args) const {
    const std::int64_t count = plan().outputs();
    const Epilogue<T> epilogue{plan().has_bias ? args.input<T>(2) : nullptr,
                               plan().has_residual ? args.input<T>(3) : nullptr, plan().activation};
    check(Launch<convolve_direct<T, Tap>>::run(blocks_for(count, kThreads), kThreads, args.stream(),
                                               window_, groups_, epilogue, count, args.input<T>(0),
                                               args.input<T>(1), args.output<T>(0)),
          "direct convolution");
  }

  Window window_;
  Groups groups_{};
};

}  // namespace

KernelPtr make_direct_conv(const KernelSpec& spec, const ConvPlan& plan) {
  return make_kernel<DirectConv>(spec.memory, plan);
}

}  // namespace skiff::cuda
