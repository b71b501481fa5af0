#pragma once

#include "converters/ir/graph.h"

namespace skiff::dynamic {

/// Whether `large` computes for each of several items what `small` computes for one. Inputs of
/// `large` whose shape differs have a multiple of the extent on one axis, and so must outputs; both
/// graphs are run on random numbers. Throws Error{unsupported} naming the output that is wrong: a
/// size that was frozen at export can then not be changed.
void check_repeats(const ir::Graph& small, const ir::Graph& large);

}  // namespace skiff::dynamic
