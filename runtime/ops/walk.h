#pragma once

#include <cstdint>

#include "runtime/ops/op.h"
#include "runtime/ops/strided.h"

namespace skiff {

/// An operator that only moves elements, as one walk over its operand: element (i0, i1, ...) of
/// `extents`, which lie dense in the result, comes from operand element start + sum of i * from.
struct Walk {
  Shape extents;
  Strides from{};
  std::int64_t start = 0;

  void add(std::int64_t extent, std::int64_t stride) noexcept {
    from[at(extents.rank())] = stride;
    extents.push_back(extent);
  }
};

/// The walk of a transpose, slice, expand, depth_to_space or space_to_depth node whose rule gave
/// the shape `result`.
Walk walk_of(const NodeView& node, const Shape& result);

}  // namespace skiff
