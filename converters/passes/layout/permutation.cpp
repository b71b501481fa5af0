#include "converters/passes/layout/permutation.h"

#include <algorithm>
#include <numeric>

namespace skiff::passes {

Perm identity_perm(int rank) {
  Perm perm(static_cast<std::size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  return perm;
}

Perm inverse(const Perm& perm) {
  Perm result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    result[static_cast<std::size_t>(perm[i])] = static_cast<int>(i);
  return result;
}

Perm compose(const Perm& first, const Perm& second) { return permute(first, second); }

Shape permute(const Shape& shape, const Perm& perm) {
  Shape result;
  for (int axis : perm) result.push_back(shape[axis]);
  return result;
}

bool is_identity(const Perm& perm) { return std::is_sorted(perm.begin(), perm.end()); }

bool is_reshape(const Perm& perm, const Shape& operand) {
  int last = -1;
  for (int axis : perm) {
    if (operand[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

std::optional<Perm> transpose_perm(const ir::Node* node) {
  if (node == nullptr || node->op != fb::OpKind::transpose) return std::nullopt;
  Perm perm;
  for (std::int64_t axis : *node->attrs.get<fb::TransposeAttrs>().perm())
    perm.push_back(static_cast<int>(axis));
  return perm;
}

}  // namespace skiff::passes
