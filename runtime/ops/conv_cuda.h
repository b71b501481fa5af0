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
  bool tf32 = false;  ///< float32 operands may be rounded to 10 bits of fraction
  Activation activation;

  std::int64_t weights() const noexcept {
    return geometry.cout * geometry.taps() * geometry.group_cin();
  }
  std::int64_t outputs() const noexcept {
    return geometry.batch * geometry.out_pixels() * geometry.cout;
  }
};
/// All its numbers, for Choices::group.
std::string text_of(const ConvGeometry& geometry);
/// Throws Error{unsupported} for types that no kernel here takes.
ConvPlan read_conv(const NodeView& node);

/// What kernels have in common that take the weights in the order of the file, in the type of the
/// operand. Their forms of a constant are equal.
class StoredWeightsConv : public Kernel {
 public:
  /// `weights`: which input of the node holds them.
  explicit StoredWeightsConv(const ConvPlan& plan, int weights = 1) noexcept
      : plan_(plan), weights_(weights) {}

  skiff_constant_form constant_form(int input) const noexcept final;
  void pack(int input, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) final;
  std::int64_t flops() const noexcept final;

 protected:
  const ConvPlan& plan() const noexcept { return plan_; }

 private:
  ConvPlan plan_;
  int weights_;
};

/// One filter a channel: a kernel of ours. Weights are packed [taps, C].
KernelPtr make_depthwise_conv(const KernelSpec& spec, const ConvPlan& plan);
/// Any convolution or its transpose, a thread an element: what nothing faster takes.
KernelPtr make_direct_conv(const KernelSpec& spec, const ConvPlan& plan);
/// cuDNN, the engine named or the one it ranks first. Throws Error{unsupported} when it has none
/// for this convolution.
KernelPtr make_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan,
                          std::string_view choice = {});
std::vector<std::string> list_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan, int most);
/// Whether a convolution is a product of its pixels with a matrix: 1x1, every pixel once.
bool is_product(const ConvGeometry& geometry) noexcept;
/// Such a one, by cuBLASLt's algorithm of that rank. Throws Error{unsupported} for others.
KernelPtr make_product_conv(const KernelSpec& spec, const ConvPlan& plan, int rank);
/// How many ranks there are, of `most`; 0 when it is no product.
int count_product_conv(const KernelSpec& spec, const ConvPlan& plan, int most);
/// Whether make_stem_conv() takes it: one to four channels over at most two spatial axes.
bool fits_stem(const ConvPlan& plan) noexcept;
/// A kernel of ours with the weights in shared memory.
KernelPtr make_stem_conv(const KernelSpec& spec, const ConvPlan& plan);
/// Whether make_mma_conv() takes it: one group of 16-bit floats.
bool fits_mma(const ConvPlan& plan) noexcept;
/// A product on tensor cores with everything fused, for any number of channels.
KernelPtr make_mma_conv(const KernelSpec& spec, const ConvPlan& plan);

}  // namespace skiff::cuda
