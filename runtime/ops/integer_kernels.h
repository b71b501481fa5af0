#pragma once

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/integer_conv.h"
#include "runtime/ops/kernel.h"

namespace skiff {

/// Everything about the result but its factors and bias.
cpu::IntegerResult integer_result(const KernelSpec& spec, const IntegerScales& scales);

/// Any form, by the products of `integers`.
KernelPtr make_integer_product(const KernelSpec& spec, const ConvGeometry& geometry,
                               const cpu::IntegerTable& integers);

/// One filter a channel, at most two spatial axes: so few products that float32 holds their sums
/// exactly.
bool integer_depthwise_fits(const ConvGeometry& geometry) noexcept;
KernelPtr make_integer_depthwise(const KernelSpec& spec, const ConvGeometry& geometry);

}  // namespace skiff
