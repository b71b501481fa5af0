#pragma once

#include <deque>

#include "runtime/core/tensor_info.h"
#include "runtime/cuda/cudnn/descriptor.h"

namespace skiff::cuda::cudnn {

/// Where plans are made for: the device of a handle, or in tests a described one.
class Target {
 public:
  virtual ~Target() = default;
  virtual void tell_graph(Descriptor& /*graph*/) const {}
  virtual void tell_heuristics(Descriptor& /*heuristics*/) const {}
  virtual void tell_plan(Descriptor& /*plan*/) const {}
};

class HandleTarget final : public Target {
 public:
  explicit HandleTarget(cudnnHandle_t handle) noexcept : handle_(handle) {}
  void tell_graph(Descriptor& graph) const override {
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_);
  }
  void tell_plan(Descriptor& plan) const override {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_);
  }

 private:
  cudnnHandle_t handle_;
};

cudnnDataType_t data_type(DType dtype);

/// A tensor of a graph; its id is what pointers are bound to.
struct TensorId {
  std::int64_t id;
};

struct Window {
  int spatial;  ///< axes in use, right-aligned in the arrays: 2 or 3
  std::array<std::int64_t, 3> pad_begin, pad_end, stride, dilation;
};

/// Operations for one engine. Tensors are channels-last in memory; cuDNN counts their axes as
/// [N, C, spatial...].
class OperationGraph {
 public:
  explicit OperationGraph(const Target& target) : target_(target) {}

  /// `shape` is channels-last ([N, spatial..., C]); a virtual one lives inside the engine only.
  TensorId tensor(const Shape& shape, DType dtype, bool is_virtual = false);
  /// `sums`: what it adds up in.
  void convolution(TensorId x, TensorId w, TensorId y, const Window& window,
                   DType sums = DType::float32);
  /// y = mode(x), or mode(x, b) with b broadcast.
  void pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId y);
  void pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId b, TensorId y);

  /// The finalised graph; nothing may be added afterwards. Throws where cuDNN refuses it.
  Descriptor finish();
  const Target& target() const noexcept { return target_; }

 private:
  const Descriptor& at(TensorId tensor) const {
    return tensors_[static_cast<std::size_t>(tensor.id - 1)];
  }
  void add_pointwise(cudnnPointwiseMode_t mode, TensorId x, const TensorId* b, TensorId y);

  const Target& target_;
  std::deque<Descriptor> tensors_, parameters_, operations_;
};

}  // namespace skiff::cuda::cudnn
