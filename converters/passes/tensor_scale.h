#pragma once

#include <optional>

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// One positive scale and one zero point for a whole float32 tensor.
struct TensorScale {
  double scale = 1, zero = 0;
  bool operator==(const TensorScale&) const = default;
};

/// Of a quantize or dequantize node whose float side is `floats`; nothing where it has several,
/// none that is known, or another float type.
std::optional<TensorScale> scale_of(const Rewriter& rewriter, const ir::Node& node, ValueId floats);

}  // namespace skiff::passes
