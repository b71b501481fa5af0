#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/cuda/cudnn/graph.h"

namespace skiff::cuda::cudnn {

/// For float32 they mean TF32: 10 bits of fraction.
enum class TensorCores : std::uint8_t { never, allowed, required };

/// Which engines are taken.
struct Policy {
  TensorCores tensor_cores = TensorCores::never;
  bool precompiled = false;  ///< no engine that is compiled when a plan is made (0.2 to 1 s)
  std::uint64_t most_workspace = UINT64_MAX;
  std::string_view engine = {};  ///< only this one, by the name of list_engines()
};

/// An engine with its choices, ready to execute a graph.
struct Plan {
  Descriptor descriptor;
  std::int64_t engine = 0;
  std::size_t workspace = 0;  ///< bytes
  bool tensor_cores = false;

  /// Puts the work on the handle's stream. `pointers` binds every tensor that is not virtual.
  void execute(cudnnHandle_t handle, std::span<const std::pair<TensorId, const void*>> pointers,
               void* workspace_memory) const;
};

/// Names of at most `most` engines that the policy allows, without making plans: numbers of the
/// engine, its knobs and their settings, the same for the same version of cuDNN and GPU.
std::vector<std::string> list_engines(OperationGraph& graph, const Policy& policy,
                                      std::size_t most);

/// Engines for the graph, best first as cuDNN's heuristics rank them: mode A, then the fallback.
/// Only those that the policy allows and that can be finalised, at most `most`.
std::vector<Plan> find_plans(OperationGraph& graph, const Policy& policy, std::size_t most = 1);

}  // namespace skiff::cuda::cudnn
