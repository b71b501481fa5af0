#pragma once

#include "converters/onnx/op.h"

namespace skiff::onnx {

/// Strides, dilations and pads of an operator that slides a window over [N, C, S...].
struct Window {
  int spatial = 0;  ///< number of spatial axes, 1 to 3
  Ints kernel, strides, dilations;
  Ints pads;  ///< begin of every spatial axis, then end
};

/// Reads strides, dilations, pads and auto_pad for operand 0; `kernel` has one entry a spatial
/// axis.
Window read_window(Op& op, Ints kernel);

}  // namespace skiff::onnx
