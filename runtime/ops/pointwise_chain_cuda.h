#pragma once

#include <string>

#include "runtime/cuda/broadcast.cuh"
#include "runtime/cuda/kernel.h"
#include "runtime/ops/pointwise_chain.h"

// The two forms of a chain on a GPU: one kernel that reads it as code, and one made for it.
namespace skiff::cuda {

/// A chain with its sizes and types.
struct ChainPlan {
  PointwiseChain chain;
  DType dtype;  ///< the steps compute in
  Broadcast<PointwiseChain::kMaxInputs> places;
  unsigned count;  ///< elements of the result
  /// Of the node's inputs: the operands, then scales and zero points.
  DType stored[PointwiseChain::kMostInputs];
  int inputs;
  DType result;
};

/// Throws Error{unsupported}: of a type that has no kernel, or too large.
ChainPlan read_chain(const KernelSpec& spec);

class ChainKernel : public Kernel {
 public:
  static constexpr int kThreads = 256;

  explicit ChainKernel(const KernelSpec& spec);
  bool can_overwrite(int input) const noexcept override {
    return input < plan_.chain.inputs && overwrites_[input];
  }

 protected:
  ChainPlan plan_;

 private:
  bool overwrites_[PointwiseChain::kMaxInputs] = {};
};

/// Elements that a thread of the kernel chain_by_4 takes: they lie side by side in every operand,
/// or are one. Tensors begin at multiples of a pack, parts of other tensors too (see plan/).
inline constexpr int kChainPack = 4;
bool chain_takes_packs(const ChainPlan& plan) noexcept;
/// CUDA C++ with the kernel `chain` or, where chain_takes_packs(), `chain_by_4`. It takes the
/// addresses of the node's inputs, then the result's.
std::string chain_source(const ChainPlan& plan);

KernelPtr make_interpreted_chain(const KernelSpec& spec);
/// Throws Error where there is neither a compiler nor its code.
KernelPtr make_compiled_chain(const KernelSpec& spec);

}  // namespace skiff::cuda
