#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// Integers that are made of floats and read as floats again at once, by the same scale, need not
/// be: x / scale is clipped to the type's range, rounded and multiplied by the scale, the same
/// numbers to the bit (a NaN stays one). Elementwise operators, which join those around them.
bool round_quantized_pairs(Graph& graph);

}  // namespace skiff::passes
