#include "converters/passes/fuse/group_norm.h"

#include "converters/passes/layout/permutation.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// The node of kind `op` that alone reads what it gives to the next one.
const ir::Node* link(const Rewriter& rewriter, ValueId value, OpKind op) {
  const ir::Node* node = rewriter.producer(value, op);
  return node != nullptr && rewriter.single_use(value) ? node : nullptr;
}

const ir::Node* swap_of_last_axes(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = link(rewriter, value, OpKind::transpose);
  return node != nullptr && transpose_perm(node) == Perm{0, 2, 1} ? node : nullptr;
}

struct Found {
  ValueId x;
  ir::Node norm;
};

std::optional<Found> find(const Rewriter& rewriter) {
  const ir::Node* last = swap_of_last_axes(rewriter, rewriter.node().inputs[0]);
  if (last == nullptr) return std::nullopt;
  const ir::Node* norm = link(rewriter, last->inputs[0], OpKind::group_norm);
  if (norm == nullptr) return std::nullopt;
  const ir::Node* first = swap_of_last_axes(rewriter, norm->inputs[0]);
  if (first == nullptr) return std::nullopt;
  const ir::Node* split = link(rewriter, first->inputs[0], OpKind::reshape);
  if (split == nullptr) return std::nullopt;
  const Shape& x = rewriter.shape(split->inputs[0]);
  const Shape& parts = rewriter.shape(split->outputs[0]);
  const std::int64_t groups = attrs<fb::NormAttrs>(*norm).groups();
  const bool fits = x == rewriter.shape(rewriter.node().outputs[0]) && x.rank() >= 3 &&
                    x.rank() <= 5 && parts[0] == x[0] && parts[1] == groups && x[1] % groups == 0;
  return fits ? std::optional(Found{split->inputs[0], *norm}) : std::nullopt;
}

/// [groups] as [channels], each entry as often as its group has channels.
ValueId repeated(Rewriter& rewriter, ValueId constant, std::int64_t channels) {
  const std::int64_t groups = rewriter.shape(constant)[0];
  fb::ShapeAttrsT expand;
  expand.shape = {groups, channels / groups};
  const ValueId column = rewriter.reshape(constant, {groups, 1});
  const ValueId all = rewriter.add(OpKind::expand, expand, {column}, rewriter.node().name);
  return rewriter.reshape(all, {channels});
}

}  // namespace

bool fuse_group_norm(Rewriter& rewriter) {
  const auto found = find(rewriter);
  if (!found) return false;
  const Shape x = rewriter.shape(found->x);
  Perm channels_last = {0};
  for (int axis = 2; axis < x.rank(); ++axis) channels_last.push_back(axis);
  channels_last.push_back(1);
  std::vector<ValueId> inputs = found->norm.inputs;
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (inputs[i] != kAbsent) inputs[i] = repeated(rewriter, inputs[i], x[1]);
  inputs[0] = rewriter.transpose(found->x, channels_last);
  const ValueId y = rewriter.add(OpKind::group_norm, found->norm.attrs, inputs, found->norm.name);
  rewriter.replace(rewriter.node().outputs[0], rewriter.transpose(y, inverse(channels_last)));
  return true;
}

}  // namespace skiff::passes
