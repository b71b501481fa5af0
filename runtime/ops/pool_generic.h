#pragma once

#include "runtime/ops/kernel.h"
#include "runtime/ops/pool.h"

namespace skiff {

/// Any dtype, rank, function, and indices of maxima. Simple loops.
KernelPtr make_generic_pool(const KernelSpec& spec, const PoolGeometry& geometry);

}  // namespace skiff
