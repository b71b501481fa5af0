#pragma once

#include "runtime/cuda/activation.h"
#include "runtime/cuda/kernel.h"

namespace skiff::cuda {

/// Finishes what a library left undone: y = activation(y + bias + residual) over [rows, channels],
/// in place; null operands are left out.
void enqueue_epilogue(const LaunchArgs& args, DType dtype, std::int64_t rows, std::int64_t channels,
                      const void* bias, const void* residual, const Activation& activation,
                      void* y);

}  // namespace skiff::cuda
