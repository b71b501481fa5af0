#pragma once

#include <optional>

#include "converters/passes/layout/permutation.h"

namespace skiff::passes {

/// The reshape on the other side of a transpose: reshape(transpose(x, perm), target) equals
/// transpose(reshape(x, shape), output).
struct MovedReshape {
  Shape shape;
  Perm output;
};

/// Nothing when the reshape joins axes that do not lie side by side in x.
std::optional<MovedReshape> move_reshape(const Shape& x, const Perm& perm, const Shape& target);

/// The permutation that brings together, in their new order, the axes of x that the reshape behind
/// transpose(x, perm) joins, and moves nothing else: the part of `perm` that has to stay before the
/// reshape. Equal to `perm` when nothing of it can go behind.
Perm joining_perm(const Shape& x, const Perm& perm, const Shape& target);

/// Runs of axes with equal numbers of elements on both sides of a reshape; axes of extent 1 belong
/// to none. Empty tensors have no groups.
struct ReshapeGroup {
  std::vector<int> from;
  std::vector<int> to;
};
std::vector<ReshapeGroup> reshape_groups(const Shape& from, const Shape& to);

}  // namespace skiff::passes
