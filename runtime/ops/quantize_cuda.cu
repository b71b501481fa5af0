#include <skiff_device/launch.h>

#include <type_traits>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/quantized.cuh"
#include "runtime/ops/quantize_rows.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// Scales of any float type and how elements find theirs; zero points are of the integers' type.
struct Scales {
  ScaleRows rows;
  DType dtype;
  const void* scale = nullptr;
  const void* zero = nullptr;  ///< null: all zero
};

__device__ std::int64_t entry_of(const ScaleRows& rows, std::int64_t element) {
  const std::int64_t row = element / rows.length, base = row / rows.extent * rows.blocks;
  return (base + row % rows.extent / rows.block) * rows.inner + element % rows.length * rows.step;
}

__device__ float scale_at(const Scales& s, std::int64_t entry) {
  switch (s.dtype) {
    case DType::float32:
      return static_cast<const float*>(s.scale)[entry];
    case DType::float16:
      return to_float(static_cast<const Half*>(s.scale)[entry]);
    default:
      return to_float(static_cast<const BFloat*>(s.scale)[entry]);
  }
}

template <typename Q>
__device__ Q zero_at(const Scales& s, std::int64_t entry) {
  return s.zero == nullptr ? Q{} : static_cast<const Q*>(s.zero)[entry];
}

template <typename F, typename Q>
__global__ void quantize_elements(std::int64_t count, Scales s, const F* x, Q* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const std::int64_t entry = entry_of(s.rows, i);
  y[i] = quantize<Q>(read_number(x[i]), scale_at(s, entry), zero_at<Q>(s, entry));
}

template <typename Q, typename F>
__global__ void dequantize_elements(std::int64_t count, Scales s, const Q* x, F* y) {
  using Wide = std::conditional_t<sizeof(Q) == 4, std::int64_t, int>;
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const std::int64_t entry = entry_of(s.rows, i);
  const Wide difference = static_cast<Wide>(x[i]) - static_cast<Wide>(zero_at<Q>(s, entry));
  y[i] = from_float<F>(dequantize(difference, scale_at(s, entry)));
}

/// What both directions share: the operand, its scales, one thread an element.
class Scaled : public Kernel {
 public:
  explicit Scaled(const KernelSpec& spec)
      : from_(spec.input(0).dtype),
        to_(spec.output(0).dtype),
        count_(spec.input(0).elements()),
        scales_{.rows = ScaleRows::of(spec.input(0).shape, spec.input(1).shape,
                                      spec.node.attrs<fb::QuantizeAttrs>()),
                .dtype = spec.input(1).dtype},
        zeros_(spec.node.has_input(2)) {}
  const char* algorithm() const noexcept override { return "pointwise"; }

 protected:
  template <auto kernel, typename From, typename To>
  void launch(const LaunchArgs& args, const char* what) const {
    Scales scales = scales_;
    scales.scale = args.input<std::byte>(1);
    if (zeros_) scales.zero = args.input<std::byte>(2);
    check(Launch<kernel>::run(blocks_for(count_, kThreads), kThreads, args.stream(), count_, scales,
                              args.input<From>(0), args.output<To>(0)),
          what);
  }

  DType from_, to_;
  std::int64_t count_;

 private:
  Scales scales_;
  bool zeros_;
};

class Quantize final : public Scaled {
 public:
  explicit Quantize(const KernelSpec& spec) : Scaled(spec) {
    dispatch_float(from_, [](auto) {});
  }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(from_, [&](auto from) {
      dispatch_narrow_integer(to_, [&](auto to) {
        using F = typename decltype(from)::type;
        using Q = typename decltype(to)::type;
        launch<quantize_elements<F, Q>, F, Q>(args, "quantize");
      });
    });
  }
};

class Dequantize final : public Scaled {
 public:
  using Scaled::Scaled;

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    const auto run = [&](auto from) {
      dispatch_float(to_, [&](auto to) {
        using Q = typename decltype(from)::type;
        using F = typename decltype(to)::type;
        launch<dequantize_elements<Q, F>, Q, F>(args, "dequantize");
      });
    };
    if (from_ == DType::int32)
      run(std::type_identity<std::int32_t>{});
    else
      dispatch_narrow_integer(from_, run);
  }
};

}  // namespace

KernelPtr make_quantize(const KernelSpec& spec) { return make_kernel<Quantize>(spec.memory, spec); }

KernelPtr make_dequantize(const KernelSpec& spec) {
  return make_kernel<Dequantize>(spec.memory, spec);
}

}  // namespace skiff::cuda
