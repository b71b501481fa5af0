#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// depth_to_space from the reshape, transpose and reshape that exporters write for it.
bool fuse_pixel_shuffle(Graph& graph);

}  // namespace skiff::passes
