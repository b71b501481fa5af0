#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/strided.h"

namespace skiff::cuda {
namespace {

struct LpRows {
  std::int64_t extent, inner;
  float epsilon;
  bool squares;
};

/// A block a row: y = x / max(norm, epsilon); a norm of 0 gives 0, as ONNX defines it.
template <typename T>
__global__ void __launch_bounds__(kRowThreads) lp_norm_rows(LpRows p, const T* x, T* y) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t start = row / p.inner * p.extent * p.inner + row % p.inner;
  Accumulator<Sum> part;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads) {
    const float v = to_float(x[start + i * p.inner]);
    part.add(p.squares ? v * v : fabsf(v));
  }
  const float sum = reduce_block<Sum>(part.result());
  const float norm = fmaxf(p.squares ? sqrtf(sum) : sum, p.epsilon);
  const float divisor = norm == 0.0f ? 1.0f : norm;
  for (std::int64_t i = threadIdx.x; i < p.extent; i += kRowThreads)
    y[start + i * p.inner] = from_float<T>(to_float(x[start + i * p.inner]) / divisor);
}

class LpNorm final : public Kernel {
 public:
  explicit LpNorm(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::LpNormAttrs>();
    const AxisSplit split = split_at(spec.input(0).shape, static_cast<int>(attrs.axis()));
    rows_ = blocks_for(split.extent == 0 ? 0 : split.outer * split.inner, 1);
    plan_ = {split.extent, split.inner, attrs.epsilon(), attrs.p() == 2};
    dispatch_float(dtype_, [](auto) {});
  }

  bool can_overwrite(int) const noexcept override { return true; }
  const char* algorithm() const noexcept override { return "block a row"; }

  void enqueue(const LaunchArgs& args) override {
    if (rows_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      check(Launch<lp_norm_rows<T>>::run(rows_, kRowThreads, args.stream(), plan_, args.input<T>(0),
                                         args.output<T>(0)),
            "lp_norm");
    });
  }

 private:
  DType dtype_;
  unsigned rows_ = 0;
  LpRows plan_{};
};

}  // namespace

KernelPtr make_lp_norm(const KernelSpec& spec) { return make_kernel<LpNorm>(spec.memory, spec); }

}  // namespace skiff::cuda
