#pragma once

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/op.h"

namespace skiff::cpu {

/// The epilogue for an activation attribute. Throws Error{invalid_model} that names the node when
/// the function cannot stand behind another operator (those from `abs` on, and unknown numbers) or
/// a parameter is not a number.
Epilogue read_epilogue(const NodeView& node, fb::UnaryFunction function, float alpha, float beta);

}  // namespace skiff::cpu
