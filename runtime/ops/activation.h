#pragma once

#include "runtime/ops/op.h"

namespace skiff {

/// Checks the activation fused behind conv, matmul or binary: one that the CPU's hot kernels have
/// (up to UnaryFunction::shrink), bounds and slopes not NaN. Throws Error{invalid_model}.
void check_activation(const NodeView& node, fb::UnaryFunction function, float alpha, float beta);

}  // namespace skiff
