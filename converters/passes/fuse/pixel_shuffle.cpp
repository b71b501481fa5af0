#include "converters/passes/fuse/pixel_shuffle.h"

#include "converters/passes/layout/permutation.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

struct Shuffle {
  ValueId x;
  std::int64_t block;
  bool crd;
};

/// x [N, C, H, W] split into [N, c, b, b, H, W] (crd) or [N, b, b, c, H, W], its blocks moved
/// behind H and W, and joined again.
std::optional<Shuffle> find(const Rewriter& rewriter) {
  const ir::Node* moved = rewriter.producer(rewriter.node().inputs[0], OpKind::transpose);
  if (moved == nullptr || !rewriter.single_use(moved->outputs[0])) return std::nullopt;
  const ir::Node* split = rewriter.producer(moved->inputs[0], OpKind::reshape);
  if (split == nullptr || !rewriter.single_use(split->outputs[0])) return std::nullopt;
  const bool crd = transpose_perm(moved) == Perm{0, 1, 4, 2, 5, 3};
  if (!crd && transpose_perm(moved) != Perm{0, 3, 4, 1, 5, 2}) return std::nullopt;
  const Shape& x = rewriter.shape(split->inputs[0]);
  const Shape& parts = rewriter.shape(split->outputs[0]);
  const std::int64_t block = parts[crd ? 2 : 1];
  const std::int64_t channels = parts[crd ? 1 : 3];
  if (x.rank() != 4 || block < 2 || parts[0] != x[0] || parts[4] != x[2] || parts[5] != x[3] ||
      parts[crd ? 3 : 2] != block ||
      rewriter.shape(rewriter.node().outputs[0]) !=
          Shape{x[0], channels, x[2] * block, x[3] * block})
    return std::nullopt;
  return Shuffle{split->inputs[0], block, crd};
}

bool fuse(Rewriter& rewriter) {
  if (rewriter.node().op != OpKind::reshape) return false;
  const auto found = find(rewriter);
  if (!found) return false;
  fb::BlockAttrsT attributes;
  attributes.block_size = found->block;
  attributes.crd = found->crd;
  const ValueId x = rewriter.transpose(found->x, {0, 2, 3, 1});
  const ValueId y = rewriter.add(OpKind::depth_to_space, attributes, {x}, rewriter.node().name);
  rewriter.replace(rewriter.node().outputs[0], rewriter.transpose(y, {0, 3, 1, 2}));
  return true;
}

}  // namespace

bool fuse_pixel_shuffle(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
