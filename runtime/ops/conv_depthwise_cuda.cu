#include <skiff_device/launch.h>

#include <cstring>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/weights.h"
#include "runtime/cuda/window.cuh"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// A thread an element of y, weights [taps, C]: a warp reads neighbouring channels of operand and
/// weights alike.
template <typename T>
__global__ void convolve_depthwise(Window w, Epilogue<T> epilogue, std::int64_t count, const T* x,
                                   const T* weights, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const OutputPlace at(w, i);
  float sum = 0.0f;
  int tap_number = 0;
  for (int d = 0; d < w.kernel[0]; ++d)
    for (int h = 0; h < w.kernel[1]; ++h)
      for (int v = 0; v < w.kernel[2]; ++v, ++tap_number) {
        const TapPlace tap(w, at, d, h, v);
        if (tap.inside)
          sum += to_float(x[tap.pixel * w.channels + at.channel]) *
                 to_float(weights[tap_number * w.channels + at.channel]);
      }
  y[i] = epilogue.apply(sum, i, at.channel);
}

class DepthwiseConv final : public Kernel {
 public:
  explicit DepthwiseConv(const ConvPlan& plan)
      : plan_(plan), window_(make_window(plan.geometry, plan.geometry.cout)) {
    blocks_for(plan.outputs(), kThreads);
  }

  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != 1) return {};
    const auto count = static_cast<std::uint64_t>(plan_.weights());
    const std::uint64_t bytes = count * size_of(plan_.dtype);
    return {bytes, bytes + read_scratch(plan_.stored, plan_.dtype, plan_.weights()), 0};
  }

  /// Stored [C, taps], wanted [taps, C].
  void pack(int, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    const std::span<std::byte> dense = scratch.first(packed.size());
    read_weights(reader, plan_.stored, plan_.dtype, dense, scratch.subspan(packed.size()));
    const std::size_t size = size_of(plan_.dtype);
    const auto channels = static_cast<std::size_t>(plan_.geometry.cout);
    const auto taps = static_cast<std::size_t>(plan_.geometry.taps());
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < taps; ++t)
        std::memcpy(packed.data() + (t * channels + c) * size, dense.data() + (c * taps + t) * size,
                    size);
  }

  std::int64_t flops() const noexcept override {
    return 2 * plan_.outputs() * plan_.geometry.taps();
  }
  const char* algorithm() const noexcept override { return "depthwise"; }

  void enqueue(const LaunchArgs& args) override {
    const std::int64_t count = plan_.outputs();
    if (count == 0) return;
    dispatch_float(plan_.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      const Epilogue<T> epilogue{plan_.has_bias ? args.input<T>(2) : nullptr,
                                 plan_.has_residual ? args.input<T>(3) : nullptr, plan_.activation};
      check(Launch<convolve_depthwise<T>>::run(blocks_for(count, kThreads), kThreads, args.stream(),
                                               window_, epilogue, count, args.input<T>(0),
                                               args.input<T>(1), args.output<T>(0)),
            "depthwise convolution");
    });
  }

 private:
  ConvPlan plan_;
  Window window_;
};

}  // namespace

KernelPtr make_depthwise_conv(const KernelSpec& spec, const ConvPlan& plan) {
  return make_kernel<DepthwiseConv>(spec.memory, plan);
}

}  // namespace skiff::cuda
