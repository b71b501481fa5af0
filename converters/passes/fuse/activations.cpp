#include <algorithm>
#include <cmath>

#include "converters/passes/fuse/fuse.h"
#include "converters/passes/fuse/linear.h"

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;
using fb::UnaryFunction;

struct Activation {
  UnaryFunction function;
  ValueId x;
  float alpha = 0;
  float beta = 0;
};
using Match = std::optional<Activation>;

bool clips(const ir::Node* node, float low, float high) {
  return is_unary(node, UnaryFunction::clip) && attrs<fb::UnaryAttrs>(*node).alpha() == low &&
         attrs<fb::UnaryAttrs>(*node).beta() == high;
}

bool is_third_power(const Rewriter& rewriter, const Product& product, ValueId x) {
  const auto& factors = product.factors;
  if (factors.size() == 3)
    return std::all_of(factors.begin(), factors.end(), [&](ValueId f) { return f == x; });
  if (factors.size() == 2) {
    const auto square_of_x = [&](ValueId f) {
      const ir::Node* node = rewriter.producer(f);
      return is_unary(node, UnaryFunction::square) && node->inputs[0] == x;
    };
    return (factors[0] == x && square_of_x(factors[1])) ||
           (factors[1] == x && square_of_x(factors[0]));
  }
  const ir::Node* power = factors.size() == 1 ? rewriter.producer(factors[0]) : nullptr;
  return is_binary(power, BinaryFunction::pow) && power->inputs[0] == x &&
         uniform(rewriter.graph, power->inputs[1]) == 3.0;
}

Product product_of(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value);
  return node == nullptr ? Product{{value}} : factors_of(rewriter, *node);
}

constexpr double kCubic = 0.044715;
constexpr double kTanhScale = 0.7978845608;  // sqrt(2 / pi)

/// sqrt(2 / pi) (x + 0.044715 x^3), also as sqrt(2 / pi) x (1 + 0.044715 x^2): Hendrycks and
/// Gimpel's approximation, as exporters write it.
bool is_gelu_polynomial(const Rewriter& rewriter, ValueId value, ValueId x) {
  const Product product = product_of(rewriter, value);
  if (!near(product.constant, kTanhScale)) return false;
  if (product.factors.size() == 2) {
    const ValueId other = product.factors[product.factors[0] == x ? 1 : 0];
    const Linear inner = peel(rewriter, other);
    const ir::Node* square = rewriter.producer(inner.x);
    return (product.factors[0] == x || product.factors[1] == x) &&
           is_unary(square, UnaryFunction::square) && square->inputs[0] == x &&
           near(inner.scale, kCubic) && near(inner.shift, 1);
  }
  const ir::Node* sum =
      product.factors.size() == 1 ? rewriter.producer(product.factors[0]) : nullptr;
  if (!is_binary(sum, BinaryFunction::add)) return false;
  const ValueId cubic = sum->inputs[sum->inputs[0] == x ? 1 : 0];
  const Product term = product_of(rewriter, cubic);
  return (sum->inputs[0] == x || sum->inputs[1] == x) && near(term.constant, kCubic) &&
         is_third_power(rewriter, term, x);
}

/// constant * x * gate, where the gate is a function of x.
Match gated(const Rewriter& rewriter, double constant, ValueId x, ValueId gate) {
  const ir::Node* node = rewriter.producer(gate);
  if (is_unary(node, UnaryFunction::sigmoid) && near(constant, 1)) {
    const auto inner = linear_in(rewriter, node->inputs[0], x);
    if (inner && inner->shift == 0)
      return Activation{UnaryFunction::swish, x, static_cast<float>(inner->scale)};
  }
  if (is_unary(node, UnaryFunction::hard_sigmoid) && node->inputs[0] == x && near(constant, 1) &&
      near(attrs<fb::UnaryAttrs>(*node).alpha(), 1.0 / 6) &&
      near(attrs<fb::UnaryAttrs>(*node).beta(), 0.5))
    return Activation{UnaryFunction::hard_swish, x};
  if (clips(node, 0, 6) && near(constant, 1.0 / 6)) {
    const auto inner = linear_in(rewriter, node->inputs[0], x);
    if (inner && inner->scale == 1 && inner->shift == 3)
      return Activation{UnaryFunction::hard_swish, x};
  }
  if (is_unary(node, UnaryFunction::tanh) && near(constant, 1)) {
    const ir::Node* soft = rewriter.producer(node->inputs[0]);
    if (is_unary(soft, UnaryFunction::softplus) && soft->inputs[0] == x)
      return Activation{UnaryFunction::mish, x};
  }
  const Linear sum = peel(rewriter, gate);
  const ir::Node* inner = rewriter.producer(sum.x);
  if (!near(sum.scale * constant, 0.5) || !near(sum.shift * constant, 0.5)) return std::nullopt;
  if (is_unary(inner, UnaryFunction::erf)) {
    const auto argument = linear_in(rewriter, inner->inputs[0], x);
    if (argument && near(argument->scale, std::sqrt(0.5)) && argument->shift == 0)
      return Activation{UnaryFunction::gelu_erf, x};
  }
  if (is_unary(inner, UnaryFunction::tanh) && is_gelu_polynomial(rewriter, inner->inputs[0], x))
    return Activation{UnaryFunction::gelu_tanh, x};
  return std::nullopt;
}

/// Products: x gate(x), x x, and clip(a x + b) / c.
Match from_product(const Rewriter& rewriter, const ir::Node& node) {
  const Product product = factors_of(rewriter, node);
  const auto& f = product.factors;
  if (f.size() == 2) {
    if (f[0] == f[1] && product.constant == 1) return Activation{UnaryFunction::square, f[0]};
    const Match match = gated(rewriter, product.constant, f[0], f[1]);
    return match ? match : gated(rewriter, product.constant, f[1], f[0]);
  }
  const ir::Node* clip = f.size() == 1 ? rewriter.producer(f[0]) : nullptr;
  if (!is_unary(clip, UnaryFunction::clip) || attrs<fb::UnaryAttrs>(*clip).alpha() != 0)
    return std::nullopt;
  if (!near(attrs<fb::UnaryAttrs>(*clip).beta() * product.constant, 1)) return std::nullopt;
  const Linear inner = peel(rewriter, clip->inputs[0]);
  return Activation{UnaryFunction::hard_sigmoid, inner.x,
                    static_cast<float>(inner.scale * product.constant),
                    static_cast<float>(inner.shift * product.constant)};
}

/// The function for x to the power of a number.
Match from_power(const Rewriter& rewriter, const ir::Node& node) {
  const auto exponent = uniform(rewriter.graph, node.inputs[1]);
  const ValueId x = node.inputs[0];
  if (exponent == 2.0) return Activation{UnaryFunction::square, x};
  if (exponent == 0.5) return Activation{UnaryFunction::sqrt, x};
  if (exponent == -0.5) return Activation{UnaryFunction::rsqrt, x};
  if (exponent == -1.0) return Activation{UnaryFunction::reciprocal, x};
  return std::nullopt;
}

/// x >= 0 ? x : slope x as a maximum or a prelu with one slope.
Match leaky(const Rewriter& rewriter, const ir::Node& node) {
  if (is_binary(&node, BinaryFunction::prelu)) {
    const auto slope = uniform(rewriter.graph, node.inputs[1]);
    if (!slope) return std::nullopt;
    return Activation{UnaryFunction::leaky_relu, node.inputs[0], static_cast<float>(*slope)};
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const auto inner = linear_in(rewriter, node.inputs[1 - i], node.inputs[i]);
    if (inner && inner->shift == 0 && inner->scale > 0 && inner->scale < 1)
      return Activation{UnaryFunction::leaky_relu, node.inputs[i],
                        static_cast<float>(inner->scale)};
  }
  return std::nullopt;
}

Match from_binary(const Rewriter& rewriter, const ir::Node& node) {
  const BinaryFunction function = attrs<fb::BinaryAttrs>(node).function();
  if (!is_binary(&node, function)) return std::nullopt;
  switch (function) {
    case BinaryFunction::mul:
      return from_product(rewriter, node);
    case BinaryFunction::pow:
      return from_power(rewriter, node);
    case BinaryFunction::prelu:
    case BinaryFunction::maximum:
      return leaky(rewriter, node);
    case BinaryFunction::div:
      if (uniform(rewriter.graph, node.inputs[0]) == 1.0)
        return Activation{UnaryFunction::reciprocal, node.inputs[1]};
      return from_product(rewriter, node);
    default:
      return std::nullopt;
  }
}

/// exp(scale x) + 1, for x and a sign of scale.
std::optional<ValueId> one_plus_exp(const Rewriter& rewriter, ValueId value, double scale) {
  const Linear sum = peel(rewriter, value);
  const ir::Node* exp = rewriter.producer(sum.x);
  if (!is_unary(exp, UnaryFunction::exp) || sum.scale != 1 || sum.shift != 1) return std::nullopt;
  if (scale == 1) return exp->inputs[0];
  const ir::Node* negated = rewriter.producer(exp->inputs[0]);
  if (is_unary(negated, UnaryFunction::neg)) return negated->inputs[0];
  const Linear inner = peel(rewriter, exp->inputs[0]);
  return inner.scale == scale && inner.shift == 0 ? std::optional(inner.x) : std::nullopt;
}

Match from_unary(const Rewriter& rewriter, const ir::Node& node) {
  const UnaryFunction function = attrs<fb::UnaryAttrs>(node).function();
  const ir::Node* before = rewriter.producer(node.inputs[0]);
  if (function == UnaryFunction::reciprocal) {
    if (is_unary(before, UnaryFunction::sqrt) && rewriter.single_use(node.inputs[0]))
      return Activation{UnaryFunction::rsqrt, before->inputs[0]};
    if (const auto x = one_plus_exp(rewriter, node.inputs[0], -1))
      return Activation{UnaryFunction::sigmoid, *x};
  }
  if (function == UnaryFunction::log)
    if (const auto x = one_plus_exp(rewriter, node.inputs[0], 1))
      return Activation{UnaryFunction::softplus, *x};
  if (clips(&node, 0, 1)) {
    const Linear inner = peel(rewriter, node.inputs[0]);
    if (inner.x != node.inputs[0])
      return Activation{UnaryFunction::hard_sigmoid, inner.x, static_cast<float>(inner.scale),
                        static_cast<float>(inner.shift)};
  }
  return std::nullopt;
}

bool fuse(Rewriter& rewriter) {
  const ir::Node node = rewriter.node();
  Match match;
  if (node.op == OpKind::binary) match = from_binary(rewriter, node);
  if (node.op == OpKind::unary) match = from_unary(rewriter, node);
  if (!match || rewriter.is_constant(match->x)) return false;
  const ir::Value& result = rewriter.graph.value(node.outputs[0]);
  if (rewriter.shape(match->x) != result.shape || !is_float(result.dtype) ||
      rewriter.graph.value(match->x).dtype != result.dtype)
    return false;
  rewriter.replace(node.outputs[0],
                   rewriter.unary(match->function, match->x, match->alpha, match->beta));
  return true;
}

}  // namespace

bool fuse_activations(Graph& graph) { return Rewriter(graph).for_each(fuse); }

}  // namespace skiff::passes
