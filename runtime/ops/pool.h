#pragma once

#include <array>
#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

/// A pooling with its numbers checked; axes stand right-aligned in (depth, height, width).
struct PoolGeometry {
  using Axes = std::array<std::int64_t, 3>;
  int spatial = 0;
  std::int64_t batch = 0, channels = 0;
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  Axes pad_begin{}, pad_end{};
};

/// Throws Error{invalid_model}. Windows and extents are below 2^28.
PoolGeometry read_pool_geometry(const NodeView& node);

}  // namespace skiff
