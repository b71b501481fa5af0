#pragma once

#include <cstdint>
#include <vector>

#include "converters/tflite/operation.h"

namespace skiff::convert::tfl {

/// Extents, strides and kernels of windows are below this, so that sums and products stay exact.
inline constexpr std::int64_t kMaxExtent = std::int64_t{1} << 31;

/// The format's padding as explicit pads, begins then ends: `valid` pads nothing, `same` pads so
/// much that each output extent is ceil(in / stride), the odd element at the end. Checks strides
/// and dilations (conv.cpp and pool.cpp take them from the file).
std::vector<std::int64_t> window_pads(const Operation& op, const Shape& in, const Shape& kernel,
                                      const std::vector<std::int64_t>& strides,
                                      const std::vector<std::int64_t>& dilations,
                                      tflite::Padding padding);

/// conv_transpose to the wanted spatial extents `out`; empty dilations are ones.
void add_conv_transpose(Operation& op, fb::ConvAttrsT attrs, ir::ValueId x, ir::ValueId weights,
                        ir::ValueId bias, const Shape& out, tflite::Padding padding);

}  // namespace skiff::convert::tfl
