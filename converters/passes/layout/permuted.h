#pragma once

#include <optional>
#include <vector>

#include "converters/passes/layout/permutation.h"

namespace skiff::passes {

/// How an operator works on transposed operands: op(x...) transposed by `output` equals the same
/// operator with `attrs` on the operands transposed by the permutation asked for.
struct Permuted {
  ir::Attributes attrs;
  Perm output;
};

/// Nothing when the operator has an axis order of its own (conv, matmul, ...) or `perm` does not
/// fit. Operands of lower rank count as extended by leading axes of extent 1.
std::optional<Permuted> permuted(const ir::Graph& graph, const ir::Node& node, const Perm& perm);

/// Positions of the operands that are transposed along; others (indices, padding value) stay.
std::vector<std::size_t> data_inputs(const ir::Node& node);

}  // namespace skiff::passes
