#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/strided.h"

namespace skiff::cuda {
namespace {

struct SoftmaxRows {
  std::int64_t extent, inner;  ///< elements of a row, and how far apart they lie
  float scale;
  bool log;
};

/// A block a row: y = exp(scale x - m) / sum, with m the largest scale x, or the logarithm of it.
template <typename T>
__global__ void __launch_bounds__(kRowThreads) softmax_rows(SoftmaxRows p, const T* x, T* y) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t start = row / p.inner * p.extent * p.inner + row % p.inner;
  float largest = -INFINITY;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads)
    largest = Maximum::of(largest, p.scale * to_float(x[start + i * p.inner]));
  largest = reduce_block<Maximum>(largest);
  Accumulator<Sum> part;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads)
    part.add(expf(p.scale * to_float(x[start + i * p.inner]) - largest));
  const float sum = reduce_block<Sum>(part.result());
  const float log_sum = logf(sum);
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads) {
    const float v = p.scale * to_float(x[start + i * p.inner]) - largest;
    y[start + i * p.inner] = from_float<T>(p.log ? v - log_sum : expf(v) / sum);
  }
}

class Softmax final : public Kernel {
 public:
  explicit Softmax(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::SoftmaxAttrs>();
    if (attrs.function() == fb::SoftmaxFunction::hardmax) refuse("no GPU kernel for hardmax");
    const AxisSplit split = split_at(spec.input(0).shape, static_cast<int>(attrs.axis()));
    rows_ = blocks_for(split.extent == 0 ? 0 : split.outer * split.inner, 1);
    plan_ = {split.extent, split.inner, attrs.scale(),
             attrs.function() == fb::SoftmaxFunction::log_softmax};
    dispatch_float(dtype_, [](auto) {});
  }

  bool can_overwrite(int) const noexcept override { return true; }
  const char* algorithm() const noexcept override { return "block a row"; }

  void enqueue(const LaunchArgs& args) override {
    if (rows_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<softmax_rows<T>>::run(rows_, kRowThreads, args.stream(), plan_, args.input<T>(0),
                                         args.output<T>(0)),
            "softmax");
    });
  }

 private:
  DType dtype_;
  unsigned rows_ = 0;
  SoftmaxRows plan_{};
};

}  // namespace

KernelPtr make_softmax(const KernelSpec& spec) { return make_kernel<Softmax>(spec.memory, spec); }

}  // namespace skiff::cuda
