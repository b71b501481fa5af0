#pragma once

#include <cstdint>

#include <skiff/dtype.h>

#include "runtime/ops/op.h"

namespace skiff {

/// Converts `count` dense elements. Rules of every pair of dtypes:
///   float -> float    rounds to nearest even; beyond the range becomes infinity; NaN stays NaN
///   float -> integer  towards zero, clamped to the range; NaN becomes 0
///   integer -> integer   keeps the low bits (two's complement), as C and numpy do
///   any -> bool       value != 0 (so NaN is true); bool -> any: 0 or 1
using Convert = void (*)(const void* from, void* to, std::int64_t count);

/// Throws Error{unsupported} when either dtype has no elements.
Convert find_convert(const NodeView& node, DType from, DType to);

}  // namespace skiff
