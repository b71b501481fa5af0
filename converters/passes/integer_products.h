#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// Convolutions and products whose input was dequantized from 8 bits and whose weights lie on a
/// grid of int8 multiply the integers instead, with exact sums; the quantize node behind them is
/// done on the way. The results differ from those of floats where rounding those moved a number
/// across the middle of two steps.
bool integer_products(Graph& graph);

}  // namespace skiff::passes
