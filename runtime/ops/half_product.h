#pragma once

#include "runtime/cpu/activation.h"
#include "runtime/ops/conv.h"
#include "runtime/ops/kernel.h"

namespace skiff {

/// A product with constant weights as HalfTable computes it.
struct HalfForm {
  cpu::RowGrid grid{};  ///< all but columns' vectors
  std::int64_t rows = 0;
  std::int64_t usual_rows = 0;  ///< at the largest shapes
  std::int64_t inputs = 0;      ///< elements of operand 0
  bool columns_stored = true;   ///< weights lie as [n][depth], else [depth][n]
  bool padded = false;          ///< a tap may leave the input
  cpu::Epilogue epilogue{};
};

/// Whether a product may be summed so, and can be on this machine: its input is float32, its
/// weights are constant and stored as float16.
bool allows_half_sums(const NodeView& node, fb::DType sums, const cpu::KernelTable& table) noexcept;

/// Operands: x, weights, bias?, residual?.
KernelPtr make_half_product(const KernelSpec& spec, const HalfForm& form);

/// Whether a convolution is summed so: no groups, columns enough, and for a window of one more work
/// than a block (conv_block.h), which is summed in float32, would spare in memory. `geometry` is
/// that of the largest shapes, so that neither sizes nor threads decide.
bool half_conv_fits(const NodeView& node, const ConvGeometry& geometry,
                    const cpu::KernelTable& table) noexcept;
KernelPtr make_half_conv(const KernelSpec& spec, const ConvGeometry& geometry,
                         const ConvGeometry& widest);

}  // namespace skiff
