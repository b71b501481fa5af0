#pragma once

#include <cstdint>

#include "runtime/ops/attributes.h"

namespace skiff {

/// Checks reduction and dtypes of a scatter.
void check_reduction(const NodeView& node, const fb::ScatterAttrs& attrs, const TensorInfo& x,
                     const TensorInfo& updates);

/// to[i] = reduction of to[i] and from[i] for `count` elements.
using Combine = void (*)(void* to, const void* from, std::int64_t count);
/// Throws Error{unsupported} for a reduction of bool.
Combine find_combine(const NodeView& node, DType dtype, fb::ScatterReduction reduction);

}  // namespace skiff
