#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// Group normalisation as PyTorch exports it, an instance normalisation of a tensor [N, groups,
/// rest] between two reshapes, becomes the channels-last operator. The present node is the second
/// reshape.
bool fuse_group_norm(Rewriter& rewriter);

}  // namespace skiff::passes
