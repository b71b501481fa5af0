#include <skiff_device/launch.h>

#include <algorithm>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// y = x / (bias + factor * sum of squares) ^ beta, over `before` channels, the own one and
/// `after`.
struct LrnWindow {
  std::int64_t channels, before, after;
  float factor, beta, bias;
};

/// A thread an element.
template <typename T>
__global__ void lrn_elements(LrnWindow w, std::int64_t count, const T* x, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const std::int64_t channel = i % w.channels;
  const std::int64_t begin = channel < w.before ? 0 : channel - w.before;
  const std::int64_t end = channel + w.after < w.channels ? channel + w.after : w.channels - 1;
  Accumulator<Sum> sum;
  for (std::int64_t c = begin; c <= end; ++c) {
    const float v = to_float(x[i - channel + c]);
    sum.add(v * v);
  }
  y[i] = from_float<T>(to_float(x[i]) / powf(w.bias + w.factor * sum.result(), w.beta));
}

class Lrn final : public Kernel {
 public:
  explicit Lrn(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype), count_(spec.output(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::LrnAttrs>();
    const std::int64_t channels = spec.input(0).shape.back(), size = attrs.size();
    window_ = {channels,
               std::min(channels, (size - 1) / 2),
               std::min(channels, size / 2),
               static_cast<float>(static_cast<double>(attrs.alpha()) / static_cast<double>(size)),
               attrs.beta(),
               attrs.bias()};
    blocks_for(count_, kThreads);
    dispatch_float(dtype_, [](auto) {});
  }

  const char* algorithm() const noexcept override { return "window"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<lrn_elements<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(),
                                         window_, count_, args.input<T>(0), args.output<T>(0)),
            "lrn");
    });
  }

 private:
  DType dtype_;
  std::int64_t count_;
  LrnWindow window_{};
};

}  // namespace

KernelPtr make_lrn(const KernelSpec& spec) { return make_kernel<Lrn>(spec.memory, spec); }

}  // namespace skiff::cuda
