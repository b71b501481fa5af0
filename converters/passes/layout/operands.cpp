#include "converters/passes/layout/operands.h"

#include "converters/passes/layout/permuted.h"

namespace skiff::passes {
namespace {

/// The perm for `rank` axes of which the first ones stay.
Perm extend(const Perm& perm, int rank) {
  const int lead = rank - static_cast<int>(perm.size());
  Perm result = identity_perm(lead);
  for (int axis : perm) result.push_back(axis + lead);
  return result;
}

}  // namespace

Shape extended(const Shape& shape, int rank) {
  Shape result;
  for (int i = shape.rank(); i < rank; ++i) result.push_back(1);
  for (std::int64_t extent : shape) result.push_back(extent);
  return result;
}

int data_rank(const Rewriter& rewriter, const ir::Node& node) {
  switch (node.op) {
    case fb::OpKind::binary:
    case fb::OpKind::where:
    case fb::OpKind::expand:
      return rewriter.rank(node.outputs[0]);
    default:
      return rewriter.rank(node.inputs[0]);
  }
}

std::optional<Perm> transposed_by(const Rewriter& rewriter, ValueId value, int rank) {
  const auto perm = transpose_perm(rewriter.producer(value));
  if (!perm || static_cast<int>(perm->size()) > rank) return std::nullopt;
  return extend(*perm, rank);
}

bool free_to_permute(const Rewriter& rewriter, ValueId value, const Perm& perm) {
  if (rewriter.is_constant(value)) return true;
  const int rank = static_cast<int>(perm.size());
  if (is_reshape(perm, extended(rewriter.shape(value), rank))) return true;
  const auto own = transposed_by(rewriter, value, rank);
  if (!own) return false;
  const ValueId source = rewriter.producer(value)->inputs[0];
  return is_reshape(compose(*own, perm), extended(rewriter.shape(source), rank));
}

ValueId permuted_operand(Rewriter& rewriter, ValueId value, const Perm& perm, bool broadcasts) {
  const int rank = static_cast<int>(perm.size());
  if (broadcasts && rewriter.shape(value).elements() == 1) return value;
  if (const auto own = transposed_by(rewriter, value, rank)) {
    const ValueId source = rewriter.producer(value)->inputs[0];
    const ValueId full = rewriter.reshape(source, extended(rewriter.shape(source), rank));
    return rewriter.transpose(full, compose(*own, perm));
  }
  const ValueId full = rewriter.reshape(value, extended(rewriter.shape(value), rank));
  return rewriter.transpose(full, perm);
}

}  // namespace skiff::passes
