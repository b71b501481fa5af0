#include <array>

#include "runtime/cuda/jit/code.h"
#include "runtime/ops/pointwise_chain_cuda.h"

namespace skiff::cuda {
namespace {

/// A chain with a kernel of its own, compiled while loading.
class CompiledChain final : public ChainKernel {
 public:
  explicit CompiledChain(const KernelSpec& spec)
      : ChainKernel(spec),
        code_(spec.device.codes().get(chain_source(plan_))),
        packs_(chain_takes_packs(plan_)),
        kernel_(code_.find(packs_ ? "chain_by_4" : "chain")) {}

  const char* algorithm() const noexcept override { return "pointwise chain, compiled"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan_.count == 0) return;
    std::array<const void*, PointwiseChain::kMostInputs + 1> addresses;
    const auto inputs = static_cast<std::size_t>(plan_.inputs);
    for (std::size_t i = 0; i < inputs; ++i) addresses[i] = args.launch.inputs[i];
    addresses[inputs] = args.launch.outputs[0];
    std::array<void*, addresses.size()> arguments;
    for (std::size_t i = 0; i <= inputs; ++i) arguments[i] = &addresses[i];
    const unsigned threads = packs_ ? plan_.count / kChainPack : plan_.count;
    jit::launch(kernel_, blocks_for(threads, kThreads), kThreads, args.stream(), arguments.data());
  }

 private:
  jit::Code code_;
  bool packs_;
  CUfunction kernel_;
};

}  // namespace

KernelPtr make_compiled_chain(const KernelSpec& spec) {
  return make_kernel<CompiledChain>(spec.memory, spec);
}

}  // namespace skiff::cuda
