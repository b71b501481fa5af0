#include "runtime/ops/pointwise_chain_cuda.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/elementwise.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kMaxInputs = PointwiseChain::kMaxInputs;

template <typename T>
struct Operands {
  const T* of[kMaxInputs];
};

/// The code is the same for all threads of a launch: its switches are uniform branches.
template <typename T>
__global__ void interpret(PointwiseChain chain, Broadcast<kMaxInputs> places, unsigned count,
                          Operands<T> operands, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  unsigned from[kMaxInputs];
  places.locate(static_cast<unsigned>(i), from);
  float slots[kMaxInputs + PointwiseChain::kMaxSteps];
  for (int n = 0; n < chain.inputs; ++n) slots[n] = to_float(operands.of[n][from[n]]);
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
    *next = to_float(from_float<T>(value));  // rounded as if it had been stored
  }
  y[i] = from_float<T>(next[-1]);
}

class InterpretedChain final : public ChainKernel {
 public:
  using ChainKernel::ChainKernel;

  const char* algorithm() const noexcept override { return "pointwise chain"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan_.count == 0) return;
    dispatch_float(plan_.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      Operands<T> operands{};
      for (int i = 0; i < plan_.chain.inputs; ++i) operands.of[i] = args.input<T>(i);
      check(Launch<interpret<T>>::run(blocks_for(plan_.count, kThreads), kThreads, args.stream(),
                                      plan_.chain, plan_.places, plan_.count, operands,
                                      args.output<T>(0)),
            "pointwise chain");
    });
  }
};

}  // namespace

KernelPtr make_interpreted_chain(const KernelSpec& spec) {
  return make_kernel<InterpretedChain>(spec.memory, spec);
}

}  // namespace skiff::cuda
