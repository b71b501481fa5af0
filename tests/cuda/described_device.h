#pragma once

#include "runtime/cuda/cudnn/graph.h"

namespace skiff::cuda {

/// A GPU as its data sheet has it.
struct DescribedDevice {
  const char* name;
  int version;  ///< compute capability, 870 for 8.7
  int processors;
  int l2_bytes, shared_bytes;
  int blocks, threads;  ///< of one processor
};
inline constexpr DescribedDevice kOrin{"Orin", 870, 16, 4 << 20, 166912, 16, 1536};
inline constexpr DescribedDevice kThor{"Thor", 1100, 20, 32 << 20, 232448, 24, 1536};
inline constexpr DescribedDevice kA100{"A100", 800, 108, 40 << 20, 166912, 32, 2048};
inline constexpr DescribedDevice kH100{"H100", 900, 132, 50 << 20, 232448, 32, 2048};

/// Lets cuDNN (9.8 and newer) make plans for a GPU that is not there.
class DescribedTarget final : public cudnn::Target {
 public:
  explicit DescribedTarget(const DescribedDevice& device);
  void tell_heuristics(cudnn::Descriptor& heuristics) const override {
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, properties_);
  }
  void tell_plan(cudnn::Descriptor& plan) const override {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, properties_);
  }

 private:
  cudnn::Descriptor properties_;
};

}  // namespace skiff::cuda
