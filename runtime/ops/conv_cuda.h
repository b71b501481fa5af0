#pragma once

#include "runtime/cuda/activation.h"
#include "runtime/cuda/kernel.h"
#include "runtime/ops/conv.h"

namespace skiff::cuda {

/// A convolution as its kernels read it.
struct ConvPlan {
  ConvGeometry geometry;
  DType dtype = DType::none;   ///< of operand, bias, residual and result
  DType stored = DType::none;  ///< of the weights in the file: dtype, or a 16-bit float
  bool has_bias = false, has_residual = false, transposed = false;
  Activation activation;

  std::int64_t weights() const noexcept {
    return geometry.cout * geometry.taps() * geometry.group_cin();
  }
  std::int64_t outputs() const noexcept {
    return geometry.batch * geometry.out_pixels() * geometry.cout;
  }
};
/// Throws Error{unsupported} for types that no kernel here takes.
ConvPlan read_conv(const NodeView& node);

/// One filter a channel: a kernel of ours. Weights are packed [taps, C].
KernelPtr make_depthwise_conv(const KernelSpec& spec, const ConvPlan& plan);
/// Any convolution or its transpose, a thread an element: what nothing faster takes.
KernelPtr make_direct_conv(const KernelSpec& spec, const ConvPlan& plan);
/// cuDNN. Throws Error{unsupported} when it has no engine for this one.
KernelPtr make_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan);

}  // namespace skiff::cuda
