#include <algorithm>
#include <cmath>

#include "converters/passes/fuse/fuse.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;

const std::vector<int> kHeadsApart = {0, 2, 1, 3};

/// A product that does nothing else.
const ir::Node* plain_product(const ir::Node* node) {
  if (node == nullptr || node->op != OpKind::matmul || node->inputs.size() != 2) return nullptr;
  const auto& a = attrs<fb::MatMulAttrs>(*node);
  return !a.transpose_a() && a.activation() == fb::UnaryFunction::none ? node : nullptr;
}

struct Scores {
  const ir::Node* product = nullptr;
  std::vector<ValueId> added;  ///< masks that are added
  ValueId kept = kAbsent;      ///< a mask of bool, false hides
  bool inverted = false;       ///< of that one, true hides
};

bool hides_all(const Graph& graph, ValueId id) {
  const auto number = uniform(graph, id);
  return number && std::isinf(*number) && *number < 0;
}

/// The operand of the sum that is scores; kAbsent when neither may be.
ValueId without_mask(const Rewriter& rewriter, const ir::Node& sum, ValueId& mask) {
  for (std::size_t i : {0, 1}) {
    const ValueId x = sum.inputs[i];
    mask = sum.inputs[1 - i];
    const ir::Node* from = rewriter.producer(x);
    const bool inner = plain_product(from) != nullptr || is_binary(from, BinaryFunction::add) ||
                       (from != nullptr && from->op == OpKind::where);
    if (inner && rewriter.single_use(x) && rewriter.shape(x) == rewriter.shape(sum.outputs[0]) &&
        rewriter.rank(mask) <= 4)
      return x;
  }
  return kAbsent;
}

/// From the softmax's operand back to the product, through masks.
bool find_scores(const Rewriter& rewriter, ValueId value, Scores& scores) {
  while (true) {
    const ir::Node* node = rewriter.producer(value);
    if (node == nullptr || !rewriter.single_use(value)) return false;
    if ((scores.product = plain_product(node)) != nullptr) return true;
    if (is_binary(node, BinaryFunction::add)) {
      ValueId mask = kAbsent;
      value = without_mask(rewriter, *node, mask);
      if (value == kAbsent) return false;
      scores.added.push_back(mask);
    } else if (node->op == OpKind::where && scores.kept == kAbsent) {
      scores.inverted = hides_all(rewriter.graph, node->inputs[1]);
      if (!scores.inverted && !hides_all(rewriter.graph, node->inputs[2])) return false;
      const ValueId next = node->inputs[scores.inverted ? 2 : 1];
      if (rewriter.shape(next) != rewriter.shape(value)) return false;
      scores.kept = node->inputs[0];
      value = next;
    } else {
      return false;
    }
  }
}

/// The one mask that does what all of them do; kAbsent: none.
ValueId joined_mask(Rewriter& rewriter, const Scores& scores, const std::string& name) {
  if (scores.kept == kAbsent && scores.added.empty()) return kAbsent;
  ValueId mask = scores.kept;
  if (scores.kept != kAbsent && scores.inverted)
    mask = rewriter.unary(fb::UnaryFunction::logical_not, mask);
  if (scores.kept != kAbsent && !scores.added.empty())
    mask = rewriter.add(
        OpKind::where, {},
        {mask, rewriter.scalar(DType::float32, 0), rewriter.scalar(DType::float32, -INFINITY)},
        name + "/mask");
  for (ValueId added : scores.added)
    mask = mask == kAbsent ? added : rewriter.binary(BinaryFunction::add, mask, added);
  return mask;
}

ValueId turned(Rewriter& rewriter, ValueId x, bool turn) {
  if (!turn) return x;
  std::vector<int> perm;
  for (int axis = 0; axis < rewriter.rank(x); ++axis) perm.push_back(axis);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return rewriter.transpose(x, perm);
}

/// [H, R, E] as [1, H, R, E].
ValueId with_batch(Rewriter& rewriter, ValueId x) {
  const Shape s = rewriter.shape(x);
  return s.rank() == 4 ? x : rewriter.reshape(x, {1, s[0], s[1], s[2]});
}

bool same_heads(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank() || (a.rank() != 3 && a.rank() != 4)) return false;
  for (int axis = 0; axis + 2 < a.rank(); ++axis)
    if (a[axis] != b[axis]) return false;
  return true;
}

/// matmul(softmax(matmul(q, k) + mask), v)
bool fuse_products(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  if (plain_product(&node) == nullptr || attrs<fb::MatMulAttrs>(node).scale() != 1) return false;
  if (rewriter.graph.value(node.outputs[0]).dtype != DType::float32) return false;
  const ir::Node* softmax = rewriter.producer(node.inputs[0], OpKind::softmax);
  if (softmax == nullptr || !rewriter.single_use(node.inputs[0])) return false;
  const auto& shares = attrs<fb::SoftmaxAttrs>(*softmax);
  if (shares.function() != fb::SoftmaxFunction::softmax ||
      shares.axis() != rewriter.rank(node.inputs[0]) - 1)
    return false;
  Scores scores;
  if (!find_scores(rewriter, softmax->inputs[0], scores)) return false;
  const bool masked = !scores.added.empty() || scores.kept != kAbsent;
  if (masked && shares.scale() != 1) return false;
  const ir::Node product = *scores.product;
  const auto& first = attrs<fb::MatMulAttrs>(product);
  const ValueId q = product.inputs[0], k = product.inputs[1], v = node.inputs[1];
  if (!same_heads(rewriter.shape(q), rewriter.shape(k)) ||
      !same_heads(rewriter.shape(q), rewriter.shape(v)))
    return false;
  fb::AttentionAttrsT attributes;
  attributes.scale = first.scale() * shares.scale();
  if (attributes.scale == 0) return false;
  const bool turn_k = !first.transpose_b(), turn_v = attrs<fb::MatMulAttrs>(node).transpose_b();
  std::vector<ValueId> inputs = {with_batch(rewriter, q),
                                 with_batch(rewriter, turned(rewriter, k, turn_k)),
                                 with_batch(rewriter, turned(rewriter, v, turn_v))};
  if (const ValueId mask = joined_mask(rewriter, scores, node.name); mask != kAbsent)
    inputs.push_back(mask);
  const Shape shape = rewriter.shape(node.outputs[0]);
  ValueId y = rewriter.add(OpKind::attention, attributes, std::move(inputs), node.name);
  rewriter.replace(node.outputs[0], rewriter.reshape(y, shape));
  return true;
}

/// What is transposed so that heads stand before rows; kAbsent: nothing is.
ValueId before_transpose(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value, OpKind::transpose);
  if (node == nullptr) return kAbsent;
  const auto perm = to_vector(attrs<fb::TransposeAttrs>(*node).perm());
  return std::equal(perm.begin(), perm.end(), kHeadsApart.begin(), kHeadsApart.end())
             ? node->inputs[0]
             : kAbsent;
}

/// transpose(attention(transpose(q), ...)) without the transposes: heads folded into the last axis.
bool fold_heads(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  const ValueId result = before_transpose(rewriter, node.outputs[0]);
  if (result == kAbsent || !rewriter.single_use(result)) return false;
  const ir::Node* found = rewriter.producer(result, OpKind::attention);
  if (found == nullptr) return false;
  const ir::Node attention = *found;
  auto attributes = attention.attrs.unpack<fb::AttentionAttrs>();
  if (attributes.q_heads != 0) return false;
  std::vector<ValueId> inputs = attention.inputs;
  for (std::size_t i = 0; i < 3; ++i) {
    const ValueId apart = before_transpose(rewriter, inputs[i]);
    if (apart == kAbsent) return false;
    inputs[i] = apart;
  }
  attributes.q_heads = rewriter.shape(inputs[0])[2];
  attributes.kv_heads = rewriter.shape(inputs[1])[2];
  for (std::size_t i = 0; i < 3; ++i) {
    const Shape s = rewriter.shape(inputs[i]);
    inputs[i] = rewriter.reshape(inputs[i], {s[0], s[1], s[2] * s[3]});
  }
  const Shape shape = rewriter.shape(node.outputs[0]);
  const ValueId y = rewriter.add(OpKind::attention, attributes, std::move(inputs), attention.name);
  rewriter.replace(node.outputs[0], rewriter.reshape(y, shape));
  return true;
}

}  // namespace

bool fuse_attention(Graph& graph) {
  Rewriter rewriter(graph);
  return rewriter.for_each([](Rewriter& r) {
    switch (r.node().op) {
      case OpKind::matmul:
        return fuse_products(r);
      case OpKind::transpose:
        return fold_heads(r);
      default:
        return false;
    }
  });
}

}  // namespace skiff::passes
