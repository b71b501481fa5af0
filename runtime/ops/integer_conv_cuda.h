#pragma once

#include "runtime/cuda/activation.h"
#include "runtime/cuda/kernel.h"
#include "runtime/ops/integer_conv.h"

namespace skiff::cuda {

/// An integer convolution as its kernels read it.
struct IntegerConvPlan {
  ConvGeometry geometry;
  IntegerScales scales;
  IntegerRounding rounding;
  Activation activation;  ///< of float32 results; of integers it is part of the rounding
  DType from = DType::none, to = DType::none;
  bool has_bias = false, constant_bias = false;

  std::int64_t pixels() const noexcept { return geometry.batch * geometry.out_pixels(); }
  std::int64_t outputs() const noexcept { return pixels() * geometry.cout; }
  /// Weights of a filter.
  std::int64_t depth() const noexcept { return geometry.taps() * geometry.group_cin(); }
};
/// Throws Error{unsupported} where sums could leave int32.
IntegerConvPlan read_integer_conv(const KernelSpec& spec);

/// How a filter lies in the packed weights, in bytes.
struct FilterRows {
  std::int64_t pitch;  ///< of a tap: its channels, or more
  std::int64_t bytes;  ///< of a filter: its taps, or more
};

/// What kernels have in common: the weights' form. Packed: filters | a chunk of zero points of x |
/// starts of the sums [Cout] int32, which make up for x's zero point | factors [Cout] float32.
/// Layers with the same weights, scales and rows share it.
class IntegerConvKernel : public Kernel {
 public:
  static constexpr std::int64_t kChunk = 16;

  IntegerConvKernel(const IntegerConvPlan& plan, const FilterRows& rows) noexcept
      : plan_(plan), rows_(rows) {}

  skiff_constant_form constant_form(int input) const noexcept override;
  void pack(int input, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override;
  std::int64_t flops() const noexcept final { return 2 * plan_.outputs() * plan_.depth(); }

 protected:
  const IntegerConvPlan& plan() const noexcept { return plan_; }
  /// Where parts of the packed weights begin.
  std::size_t zeros_at() const noexcept;
  std::size_t starts_at() const noexcept { return zeros_at() + kChunk; }
  std::size_t factors_at() const noexcept { return starts_at() + channels() * sizeof(int); }
  std::size_t packed_bytes() const noexcept { return factors_at() + channels() * sizeof(float); }

 private:
  std::size_t channels() const noexcept { return static_cast<std::size_t>(plan_.geometry.cout); }
  void pack_filter(const std::int8_t* filter, std::int64_t channel, std::byte* packed) const;

  IntegerConvPlan plan_;
  FilterRows rows_;
};

/// A product on tensor cores; without them in groups and for fewer than 8 channels.
KernelPtr make_own_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan);
/// cuDNN's engine of that name. Throws Error{unsupported} when there is none.
KernelPtr make_cudnn_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan,
                                  std::string_view choice);
std::vector<std::string> list_cudnn_integer_conv(const KernelSpec& spec,
                                                 const IntegerConvPlan& plan, int most);
/// One that is_product(), by cuBLASLt's algorithm of that rank; its results are our own kernel's.
/// Throws Error{unsupported} where cuBLASLt has none.
KernelPtr make_product_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan, int rank);
/// How many ranks there are, of `most`.
int count_product_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan, int most);

}  // namespace skiff::cuda
