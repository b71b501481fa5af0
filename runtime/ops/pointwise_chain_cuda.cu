#include "runtime/ops/pointwise_chain.h"

#include <skiff_device/launch.h>

#include "runtime/cuda/broadcast.cuh"
#include "runtime/cuda/elementwise.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;
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

class Chain final : public Kernel {
 public:
  explicit Chain(const KernelSpec& spec)
      : chain_(spec.node.attrs<PointwiseChain>()),
        dtype_(spec.output(0).dtype),
        places_(shapes_of(spec), spec.output(0).shape),
        count_(static_cast<unsigned>(narrow(spec.output(0).elements()))) {
    dispatch_float(dtype_, [](auto) {});
    for (int i = 0; i < chain_.inputs; ++i)
      overwrites_[i] = spec.input(i).shape == spec.output(0).shape;
  }

  bool can_overwrite(int input) const noexcept override { return overwrites_[input]; }
  const char* algorithm() const noexcept override { return "pointwise chain"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      Operands<T> operands{};
      for (int i = 0; i < chain_.inputs; ++i) operands.of[i] = args.input<T>(i);
      check(Launch<interpret<T>>::run(blocks_for(count_, kThreads), kThreads, args.stream(), chain_,
                                      places_, count_, operands, args.output<T>(0)),
            "pointwise chain");
    });
  }

 private:
  static std::array<Shape, kMaxInputs> shapes_of(const KernelSpec& spec) {
    std::array<Shape, kMaxInputs> shapes;  // scalars where there is none
    for (int i = 0; i < spec.node.input_count(); ++i)
      shapes[static_cast<std::size_t>(i)] = spec.input(i).shape;
    return shapes;
  }

  PointwiseChain chain_;
  DType dtype_;
  Broadcast<kMaxInputs> places_;
  unsigned count_;
  bool overwrites_[kMaxInputs] = {};
};

}  // namespace

KernelPtr make_pointwise_chain(const KernelSpec& spec) {
  return make_kernel<Chain>(spec.memory, spec);
}

}  // namespace skiff::cuda
