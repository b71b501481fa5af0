#pragma once

#include "runtime/ops/kernel.h"
#include "runtime/ops/matmul.h"

namespace skiff {

/// Any dtype: sums element by element, operands as they are stored. Integers wrap.
KernelPtr make_generic_matmul(const KernelSpec& spec, const MatMulGeometry& geometry);

}  // namespace skiff
