#pragma once

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

namespace skiff {

/// Makes convolutions of a few channels read the bytes of an uint8 image: a cast and a factor or
/// term a channel (ops/pixels.h) that stand before one alone become part of it, so that no picture
/// of floats is ever written. `narrow`: of 16-bit floats too, which a GPU's kernel has. `own`,
/// `memory`: as in fuse_chains(), which is called behind this.
void fuse_pixels(const Graph& graph, std::optional<Graph>& own, bool narrow,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch);

}  // namespace skiff
