#pragma once

#include <string>

#include "converters/onnx/tensor.h"

namespace skiff::conformance {

struct Difference {
  std::string reason;       ///< empty: equal within the tolerance
  double max_relative = 0;  ///< largest |a - b| / max(|b|, 1e-7) over finite floats
};

/// As ONNX's own runner judges: same dtype and shape, floats within 1e-7 + 1e-3 |expected| with
/// NaN equal to NaN, everything else exactly equal.
Difference compare(const onnx::Dense& actual, const onnx::Dense& expected);

}  // namespace skiff::conformance
