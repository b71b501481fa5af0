#pragma once

#include <optional>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::passes {

/// An order of axes as transpose means it: axis i of the result is axis perm[i] of the operand.
using Perm = std::vector<int>;

Perm identity_perm(int rank);
Perm inverse(const Perm& perm);
/// One permutation for transposing by `first` and then by `second`.
Perm compose(const Perm& first, const Perm& second);
Shape permute(const Shape& shape, const Perm& perm);
/// The entries of a list with one number an axis, in the new order.
template <typename T>
std::vector<T> permute(const std::vector<T>& numbers, const Perm& perm) {
  std::vector<T> result;
  for (int axis : perm) result.push_back(numbers[static_cast<std::size_t>(axis)]);
  return result;
}

bool is_identity(const Perm& perm);
/// True when transposing a tensor of this shape moves no element: axes of extent 1 aside, the order
/// stays.
bool is_reshape(const Perm& perm, const Shape& operand);

/// The permutation of a transpose node; nothing for other nodes (and for null).
std::optional<Perm> transpose_perm(const ir::Node* node);

}  // namespace skiff::passes
