#include "converters/passes/layout/layout.h"
#include "converters/passes/layout/permutation.h"
#include "converters/passes/layout/reshape_groups.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// Where a product's constant operand has the axis that is summed over.
struct Weights {
  ValueId value;
  int inner;  // 0: [K, N], 1: [N, K]
};

std::optional<Weights> constant_weights(const Rewriter& rewriter) {
  const ir::Node& node = rewriter.node();
  const auto& attributes = attrs<fb::MatMulAttrs>(node);
  const ValueId weights = node.inputs[1];
  if (attributes.transpose_a() || !rewriter.is_constant(weights) || rewriter.rank(weights) != 2 ||
      rewriter.rank(node.inputs[0]) < 2)
    return std::nullopt;
  return Weights{weights, attributes.transpose_b() ? 1 : 0};
}

/// The axes of the transposed tensor that the reshape joins into its last axis, when they are a
/// suffix of the axes of x in another order and all other axes keep theirs; else empty.
std::vector<int> joined_suffix(const Shape& x, const Perm& perm, const Shape& flat) {
  const auto groups = reshape_groups(permute(x, perm), flat);
  if (groups.empty() || groups.back().to != std::vector<int>{flat.rank() - 1}) return {};
  const std::vector<int>& joined = groups.back().from;
  int least = x.rank();
  for (int axis : joined) least = std::min(least, perm[static_cast<std::size_t>(axis)]);
  int last = -1;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (x[perm[i]] == 1) continue;
    const bool inside = static_cast<int>(i) >= joined.front();
    if (!inside && (perm[i] < last || perm[i] > least)) return {};
    last = inside ? last : perm[i];
  }
  return joined;
}

/// Reorders the constant's rows (or columns) from the order of `joined` to that of x.
ValueId reorder(Rewriter& rewriter, const Weights& weights, const Shape& x, const Perm& perm,
                const std::vector<int>& joined) {
  const Shape before = rewriter.shape(weights.value);
  Shape split;
  Perm order;
  if (weights.inner == 1) split.push_back(before[0]);
  const int lead = split.rank();
  std::vector<std::pair<int, int>> by_source;
  for (int axis : joined) {
    const int source = perm[static_cast<std::size_t>(axis)];
    by_source.emplace_back(source, split.rank());
    split.push_back(x[source]);
  }
  std::sort(by_source.begin(), by_source.end());
  if (lead == 1) order.push_back(0);
  for (const auto& [source, place] : by_source) order.push_back(place);
  if (weights.inner == 0) {
    order.push_back(split.rank());
    split.push_back(before[1]);
  }
  const ValueId parts = rewriter.reshape(weights.value, split);
  return rewriter.reshape(rewriter.transpose(parts, order), before);
}

/// matmul(reshape(transpose(x)), W) -> matmul(reshape(x), reordered W)
bool absorb_flattening(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const auto weights = constant_weights(rewriter);
  const ir::Node* flatten = rewriter.producer(node.inputs[0], OpKind::reshape);
  if (!weights || flatten == nullptr) return false;
  const ir::Node* transposed = rewriter.producer(flatten->inputs[0], OpKind::transpose);
  if (transposed == nullptr) return false;
  const Perm perm = *transpose_perm(transposed);
  const ValueId x = transposed->inputs[0];
  const Shape x_shape = rewriter.shape(x);
  const Shape flat = rewriter.shape(node.inputs[0]);
  const auto joined = joined_suffix(x_shape, perm, flat);
  if (joined.size() < 2) return false;
  std::vector<ValueId> inputs = node.inputs;
  inputs[1] = reorder(rewriter, *weights, x_shape, perm, joined);
  inputs[0] = rewriter.reshape(x, flat);
  rewriter.replace(node.outputs[0], rewriter.add(node.op, node.attrs, inputs, node.name));
  return true;
}

/// A transpose of an operand that swaps its last two axes becomes the product's own flag.
bool absorb_swap(Rewriter& rewriter, std::size_t operand) {
  const ir::Node node = rewriter.node();
  const ir::Node* transposed = rewriter.producer(node.inputs[operand], OpKind::transpose);
  if (transposed == nullptr) return false;
  Perm perm = *transpose_perm(transposed);
  const std::size_t rank = perm.size();
  // Only when the axis that lies densest in memory is one of the two.
  if (rank < 2 || perm[rank - 2] != static_cast<int>(rank) - 1) return false;
  std::swap(perm[rank - 1], perm[rank - 2]);
  auto attributes = node.attrs.unpack<fb::MatMulAttrs>();
  bool& flag = operand == 0 ? attributes.transpose_a : attributes.transpose_b;
  flag = !flag;
  std::vector<ValueId> inputs = node.inputs;
  inputs[operand] = rewriter.transpose(transposed->inputs[0], perm);
  rewriter.replace(node.outputs[0], rewriter.add(node.op, attributes, inputs, node.name));
  return true;
}

bool absorb(Rewriter& rewriter) {
  if (rewriter.node().op != OpKind::matmul) return false;
  if (absorb_flattening(rewriter)) return true;
  return absorb_swap(rewriter, 0) || absorb_swap(rewriter, 1);
}

}  // namespace

bool absorb_transposes(Graph& graph) { return Rewriter(graph).for_each(absorb); }

}  // namespace skiff::passes
