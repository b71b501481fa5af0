#pragma once

#include <string>

#include "converters/onnx/tensor.h"

namespace skiff::conformance {

struct Difference {
  std::string reason;       ///< empty: equal within the tolerance
  double max_relative = 0;  ///< largest |a - b| / max(|b|, 1e-7) over finite floats
};

/// As ONNX's own runner judges: same dtype and shape, floats within 1e-7 + 1e-3 |expected| with
/// NaN equal to NaN, everything else exactly equal. One addition: where sums cancel, the expected
/// float32 numbers are themselves rounding errors, so two units in the last place of the tensor's
/// largest number are always allowed (float32 and float64).
Difference compare(const onnx::Dense& actual, const onnx::Dense& expected);

}  // namespace skiff::conformance
