#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "runtime/cpu/kernel_table.h"
#include "runtime/graph/graph.h"
#include "runtime/model/verified.h"
#include "runtime/ops/kernel.h"

namespace skiff {

/// A kernel with its operands. Pointers are filled in when the memory exists.
struct Step {
  KernelPtr kernel;
  std::int32_t node = -1;  ///< index in the graph
  const void** inputs = nullptr;
  void** outputs = nullptr;
  void* workspace = nullptr;
  std::uint64_t workspace_bytes = 0;
  bool elided = false;  ///< a view: its result lies in its operand already
};

/// A constant in the form one or more kernels take it.
struct ConstantForm {
  std::int32_t buffer = -1;
  std::int32_t step = -1;  ///< whose kernel packs it; -1: as stored
  std::int32_t input = -1;
  std::uint64_t offset = 0;  ///< in the weights block
  std::uint64_t bytes = 0;
  std::uint64_t scratch = 0;
};

/// Which form of a constant operand `input` of step `step` points to.
struct ConstantUse {
  std::int32_t step = -1, input = -1;
  std::int32_t form = -1;
};

/// Every node with its kernel, and what the weights block holds. Nothing big is allocated yet.
struct Binding {
  explicit Binding(std::pmr::memory_resource& memory)
      : steps(&memory), forms(&memory), uses(&memory) {}
  std::pmr::vector<Step> steps;  ///< one a node, in order
  std::pmr::vector<ConstantForm> forms;
  std::pmr::vector<ConstantUse> uses;
  std::uint64_t weights_bytes = 0;
  std::uint64_t pack_scratch = 0;  ///< largest scratch of one pack()
};

/// Makes the kernels and lays out the weights. Kernels and result live in `memory`; `scratch`
/// serves during the call. Throws what kernels throw, naming the node.
Binding bind(const model::Verified& model, const cpu::KernelTable& table, int threads,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

/// Reads every constant into its form. `weights` has weights_bytes, `scratch` pack_scratch bytes.
void fill_weights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
                  std::span<std::byte> scratch);

}  // namespace skiff
