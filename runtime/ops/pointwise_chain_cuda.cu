#include "runtime/ops/pointwise_chain_cuda.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/elementwise.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/quantized.cuh"

namespace skiff::cuda {
namespace {

constexpr int kMaxInputs = PointwiseChain::kMaxInputs;

/// Where operands and result lie that are stored as the steps compute.
template <typename T>
struct Floats {
  const T* of[kMaxInputs];
  T* y;

  __device__ float read(int n, unsigned i) const { return to_float(of[n][i]); }
  __device__ float rounded(float value) const { return to_float(from_float<T>(value)); }
  __device__ void write(unsigned i, float value) const { y[i] = from_float<T>(value); }
};

/// Of operands and results of 8-bit integers, a scale and a zero point each; of floats, neither.
struct Scale {
  const float* scale;
  const void* zero;  ///< null: 0
  bool is_signed;

  __device__ int zero_point() const {
    if (zero == nullptr) return 0;
    return is_signed ? *static_cast<const signed char*>(zero)
                     : *static_cast<const unsigned char*>(zero);
  }
};

/// Likewise where some are 8-bit integers, the others float32.
struct Mixed {
  const void* of[kMaxInputs];
  void* y;
  Scale scales[kMaxInputs], result;

  __device__ float read(int n, unsigned i) const {
    const Scale& s = scales[n];
    if (s.scale == nullptr) return static_cast<const float*>(of[n])[i];
    const int stored = s.is_signed ? static_cast<const signed char*>(of[n])[i]
                                   : static_cast<const unsigned char*>(of[n])[i];
    return dequantize(stored - s.zero_point(), *s.scale);
  }
  __device__ float rounded(float value) const { return value; }
  __device__ void write(unsigned i, float value) const {
    if (result.scale == nullptr)
      static_cast<float*>(y)[i] = value;
    else if (result.is_signed)
      put<signed char>(i, value);
    else
      put<unsigned char>(i, value);
  }
  template <typename Q>
  __device__ void put(unsigned i, float value) const {
    static_cast<Q*>(y)[i] = quantize<Q>(value, *result.scale, result.zero_point());
  }
};

/// The code is the same for all threads of a launch: its switches are uniform branches.
template <typename Ends>
__global__ void interpret(PointwiseChain chain, Broadcast<kMaxInputs> places, unsigned count,
                          Ends ends) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  unsigned from[kMaxInputs];
  places.locate(static_cast<unsigned>(i), from);
  float slots[kMaxInputs + PointwiseChain::kMaxSteps];
  for (int n = 0; n < chain.inputs; ++n) slots[n] = ends.read(n, from[n]);
  float* next = slots + chain.inputs;
  for (int n = 0; n < chain.count; ++n, ++next) {
    const PointwiseChain::Step& step = chain.steps[n];
    const float a = slots[step.a];
    const auto unary =
        static_cast<fb::UnaryFunction>(step.binary != 0 ? step.activation : step.function);
    const Activation f{unary, step.alpha, step.beta};
    const float value = step.binary == 0
                            ? apply(f, a)
                            : apply_fused(f, combine(static_cast<fb::BinaryFunction>(step.function),
                                                     a, slots[step.b]));
    *next = ends.rounded(value);  // as if it had been stored
  }
  ends.write(static_cast<unsigned>(i), next[-1]);
}

class InterpretedChain final : public ChainKernel {
 public:
  using ChainKernel::ChainKernel;

  const char* algorithm() const noexcept override { return "pointwise chain"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan_.count == 0) return;
    if (plan_.chain.conversions() > 0) return launch(args, mixed(args));
    dispatch_float(plan_.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      Floats<T> ends{{}, args.output<T>(0)};
      for (int i = 0; i < plan_.chain.inputs; ++i) ends.of[i] = args.input<T>(i);
      launch(args, ends);
    });
  }

 private:
  template <typename Ends>
  void launch(const LaunchArgs& args, const Ends& ends) const {
    check(Launch<interpret<Ends>>::run(blocks_for(plan_.count, kThreads), kThreads, args.stream(),
                                       plan_.chain, plan_.places, plan_.count, ends),
          "pointwise chain");
  }

  Mixed mixed(const LaunchArgs& args) const {
    const auto scale_of = [&](const PointwiseChain::Scale& integers, DType dtype) -> Scale {
      if (integers.scale == 0) return {};
      return {args.input<float>(integers.scale),
              integers.zero == 0 ? nullptr : args.input<void>(integers.zero), dtype == DType::int8};
    };
    Mixed ends{{}, args.output<void>(0), {}, scale_of(plan_.chain.result, plan_.result)};
    for (int i = 0; i < plan_.chain.inputs; ++i) {
      ends.of[i] = args.input<void>(i);
      ends.scales[i] = scale_of(plan_.chain.stored[i], plan_.stored[i]);
    }
    return ends;
  }
};

}  // namespace

KernelPtr make_interpreted_chain(const KernelSpec& spec) {
  return make_kernel<InterpretedChain>(spec.memory, spec);
}

}  // namespace skiff::cuda
