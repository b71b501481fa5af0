#pragma once

#include <cstdint>
#include <span>

#include "runtime/cpu/kernel_table.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_rows.h"

namespace skiff {

/// One product of a convolution: all outputs (conv) or those of one residue of the stride
/// (conv_transpose). Pointers of `args` are set on each run.
struct ConvPhase {
  cpu::ConvArgs args;
  const std::int32_t* source_taps = nullptr;  ///< which stored tap each of args.taps multiplies
  cpu::PanelLayout layout;
  cpu::Partition partition;
  std::int64_t weights = 0;  ///< offset of its panels inside a group's block, in elements
  std::int64_t output = 0;   ///< offset of its first output, in elements
};

/// float32 convolution with weights packed into panels, at load when they are constant and at the
/// start of each run when they are not. Serves conv and conv_transpose; the phases differ.
class PackedConv : public RowConv {
 public:
  /// `phases` lie in spec.memory; layouts, partitions and offsets are filled in here.
  PackedConv(const KernelSpec& spec, const ConvGeometry& geometry, std::span<ConvPhase> phases,
             bool outside, const char* algorithm);

  std::size_t workspace_bytes() const noexcept override;
  std::size_t packed_bytes(int input) const noexcept override;
  std::size_t pack_scratch_bytes(int input) const noexcept override;
  void pack(int input, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override;
  std::uint64_t pack_key(int input) const noexcept override;
  /// The residual is read where the output is written, just before.
  bool can_overwrite(int input, int) const noexcept override { return input == 3; }
  Status run(const RunArgs& args) noexcept override;
  /// Of a product (a window of one, stride 1, no padding, no groups).
  void run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                const RowOperands& operands) const noexcept override;
  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return algorithm_; }

 protected:
  /// Packed weights of this run: the constant's, or packed now into the workspace.
  const float* weights(const RunArgs& args) const noexcept;
  /// The row that stands for padding; null where no tap ever leaves the input.
  const float* zeros(const float* packed) const noexcept {
    return zeros_ > 0 ? packed + group_elements_ * geometry_.groups : nullptr;
  }
  std::size_t weight_bytes() const noexcept {
    return static_cast<std::size_t>(group_elements_ * geometry_.groups + zeros_) * sizeof(float);
  }

  const float* bias(const RunArgs& args) const noexcept {
    return has_bias_ ? args.input<float>(2) : nullptr;
  }
  const float* residual(const RunArgs& args) const noexcept {
    return has_residual_ ? args.input<float>(3) : nullptr;
  }

  const cpu::KernelTable& table_;
  ConvGeometry geometry_;
  std::span<ConvPhase> phases_;

 private:
  void pack_rows(const float* rows, std::int64_t group, std::int64_t column, std::int64_t columns,
                 float* to) const noexcept;
  void pack_narrow(const ConvPhase& phase, const float* rows, std::int64_t columns,
                   float* to) const noexcept;
  std::int64_t stored_depth() const noexcept { return geometry_.taps() * geometry_.group_cin(); }

  std::int64_t group_elements_ = 0;  // of one group's panels
  std::int64_t zeros_ = 0;           // elements of the row that stands for padding
  std::int64_t group_tasks_ = 0;
  std::int64_t flops_ = 0;
  DType weight_type_;
  bool constant_;
  bool has_bias_;
  bool has_residual_;
  const char* algorithm_;
};

/// Elements of `count` default-made objects from the memory a kernel lives in.
template <typename T>
std::span<T> make_array(std::pmr::memory_resource& memory, std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  T* first = static_cast<T*>(memory.allocate(size * sizeof(T) + 1, alignof(T)));
  for (std::size_t i = 0; i < size; ++i) new (first + i) T();
  return {first, size};
}

/// The rows of a convolution of any form: a tap a window position, in the weights' order, each of a
/// group's channels. Taps lie in `memory`; columns and vectors are left to the caller.
cpu::RowGrid window_grid(const ConvGeometry& geometry, std::pmr::memory_resource& memory);
bool is_padded(const ConvGeometry& geometry) noexcept;
/// A window of one, stride 1, no padding: rows of the input are rows of the product.
bool is_pointwise(const ConvGeometry& geometry) noexcept;

/// The only phase of a convolution, whose taps stand in the weights' order.
ConvPhase one_phase(const cpu::RowGrid& grid, std::pmr::memory_resource& memory);

/// See stem_fits() in conv_strips.h.
/// `pixels`: see make_row_conv() in conv_rows.h; null: it reads floats.
RowConvPtr make_stem_conv(const KernelSpec& spec, const ConvGeometry& geometry,
                          const NodeView* pixels = nullptr);

/// 3x3 windows of stride 1 over enough pixels and channels: fewer products. `geometry` is that of
/// the largest shapes.
bool winograd_fits(const KernelSpec& spec, const ConvGeometry& geometry) noexcept;
KernelPtr make_winograd_conv(const KernelSpec& spec, const ConvGeometry& geometry,
                             const ConvGeometry& widest);

/// One filter a channel, at most two spatial axes.
bool depthwise_fits(const ConvGeometry& geometry) noexcept;
RowConvPtr make_depthwise_conv(const KernelSpec& spec, const ConvGeometry& geometry);

/// Any dtype, any form; conv and conv_transpose. Simple loops.
KernelPtr make_generic_conv(const KernelSpec& spec, const ConvGeometry& geometry);

}  // namespace skiff
