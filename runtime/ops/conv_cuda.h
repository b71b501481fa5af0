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
ConvPlan read_conv(const KernelSpec& spec);

/// One filter a channel: a kernel of ours. Weights are packed [taps, C].
KernelPtr make_depthwise_conv(const KernelSpec& spec, const ConvPlan& plan);
/// Any convolution or its transpose, a thread an element: what nothing faster takes.
KernelPtr make_direct_conv(const KernelSpec& spec, const ConvPlan& plan);
/// cuDNN. Throws Error{unsupported} when it has no engine for this one.
KernelPtr make_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan);

/// Reads a constant stored as `from` into dense numbers of type `to`.
void read_weights(Reader& reader, DType from, DType to, std::span<std::byte> out,
                  std::span<std::byte> scratch);
/// Scratch that takes.
std::size_t read_scratch(DType from, DType to, std::int64_t count) noexcept;

}  // namespace skiff::cuda
