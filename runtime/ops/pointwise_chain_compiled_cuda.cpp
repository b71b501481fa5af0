#include <algorithm>
#include <array>
#include <optional>

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
        plain_(code_.find("chain")),
        packed_(chain_takes_packs(plan_) ? code_.find("chain_by_4") : nullptr) {}

  const char* algorithm() const noexcept override { return "pointwise chain, compiled"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan_.count == 0) return;
    std::array<const void*, PointwiseChain::kMaxInputs + 1> addresses;
    const auto inputs = static_cast<std::size_t>(plan_.chain.inputs);
    for (std::size_t i = 0; i < inputs; ++i) addresses[i] = args.launch.inputs[i];
    addresses[inputs] = args.launch.outputs[0];
    std::array<void*, addresses.size()> arguments;
    for (std::size_t i = 0; i <= inputs; ++i) arguments[i] = &addresses[i];
    const bool packs = packed_ != nullptr && begin_at_packs({addresses.data(), inputs + 1});
    const unsigned threads = packs ? plan_.count / kChainPack : plan_.count;
    jit::launch(packs ? packed_ : plain_, blocks_for(threads, kThreads), kThreads, args.stream(),
                arguments.data());
  }

 private:
  /// Operands that are one number for all need not, but mostly do.
  bool begin_at_packs(std::span<const void* const> addresses) const noexcept {
    const std::size_t pack = kChainPack * size_of(plan_.dtype);
    return std::ranges::all_of(addresses, [&](const void* address) {
      return reinterpret_cast<std::uintptr_t>(address) % pack == 0;
    });
  }

  jit::Code code_;
  CUfunction plain_, packed_;
};

}  // namespace

KernelPtr make_compiled_chain(const KernelSpec& spec) {
  return make_kernel<CompiledChain>(spec.memory, spec);
}

}  // namespace skiff::cuda
