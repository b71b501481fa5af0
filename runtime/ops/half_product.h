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

/// Whether such a node may be summed so: it has float32 operands and constant weights that are
/// stored as float16.
bool allows_half_sums(const NodeView& node, fb::DType sums) noexcept;
/// A convolution of the form that is multiplied so: no groups.
bool allows_half_conv(const NodeView& node, const ConvGeometry& geometry) noexcept;

/// The same where this machine has the arithmetic.
bool half_sums_fit(const KernelSpec& spec, fb::DType sums) noexcept;

/// Operands: x, weights, bias?, residual?.
KernelPtr make_half_product(const KernelSpec& spec, const HalfForm& form);

/// Whether it is worth it: columns are enough. `geometry` is that of the largest shapes.
bool half_conv_fits(const KernelSpec& spec, const ConvGeometry& geometry) noexcept;
KernelPtr make_half_conv(const KernelSpec& spec, const ConvGeometry& geometry,
                         const ConvGeometry& widest);

}  // namespace skiff
