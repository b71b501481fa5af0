#pragma once

#include "converters/passes/layout/permutation.h"
#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// Rank that a permutation of the node's data operands has.
int data_rank(const Rewriter& rewriter, const ir::Node& node);

/// The perm of the transpose that computes the value, extended by leading axes that stay to `rank`;
/// nothing when it is no transpose.
std::optional<Perm> transposed_by(const Rewriter& rewriter, ValueId value, int rank);

/// True when `value` transposed by `perm` costs nothing at run time.
bool free_to_permute(const Rewriter& rewriter, ValueId value, const Perm& perm);

/// `value`, seen with perm.size() axes, transposed by `perm`; takes back a transpose where there is
/// one. Single numbers stay as they are when `broadcasts`.
ValueId permuted_operand(Rewriter& rewriter, ValueId value, const Perm& perm, bool broadcasts);

/// The shape with leading axes of extent 1 up to `rank`.
Shape extended(const Shape& shape, int rank);

}  // namespace skiff::passes
