#include "converters/passes/fuse/linear.h"

#include <cmath>

namespace skiff::passes {
namespace {

using fb::BinaryFunction;
using fb::OpKind;

/// One linear step: the value in terms of an operand of the node that computes it.
std::optional<Linear> step(const Rewriter& rewriter, ValueId value) {
  const ir::Node* node = rewriter.producer(value);
  if (is_unary(node, fb::UnaryFunction::neg)) return Linear{node->inputs[0], -1, 0};
  if (node == nullptr || node->op != OpKind::binary || !is_float(rewriter.graph.value(value).dtype))
    return std::nullopt;
  const BinaryFunction function = attrs<fb::BinaryAttrs>(*node).function();
  if (!is_binary(node, function)) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto number = uniform(rewriter.graph, node->inputs[1 - i]);
    const ValueId x = node->inputs[i];
    if (!number || rewriter.shape(x) != rewriter.shape(value)) continue;
    switch (function) {
      case BinaryFunction::add:
        return Linear{x, 1, *number};
      case BinaryFunction::sub:
        return i == 0 ? Linear{x, 1, -*number} : Linear{x, -1, *number};
      case BinaryFunction::mul:
        return Linear{x, *number, 0};
      case BinaryFunction::div:
        if (i == 0 && *number != 0) return Linear{x, 1 / *number, 0};
        break;
      default:
        break;
    }
  }
  return std::nullopt;
}

void take_apart(const Rewriter& rewriter, const ir::Node& node, Product& product);

void take_apart(const Rewriter& rewriter, ValueId value, Product& product) {
  const ir::Node* node = rewriter.producer(value);
  const bool inner = rewriter.single_use(value) &&
                     (is_binary(node, BinaryFunction::mul) || is_binary(node, BinaryFunction::div));
  if (inner)
    take_apart(rewriter, *node, product);
  else
    product.factors.push_back(value);
}

void take_apart(const Rewriter& rewriter, const ir::Node& node, Product& product) {
  const auto divisor = uniform(rewriter.graph, node.inputs[1]);
  if (is_binary(&node, BinaryFunction::div)) {
    if (!divisor || *divisor == 0) {
      product.factors.push_back(node.outputs[0]);
      return;
    }
    product.constant /= *divisor;
    take_apart(rewriter, node.inputs[0], product);
    return;
  }
  for (ValueId input : node.inputs) {
    if (const auto number = uniform(rewriter.graph, input))
      product.constant *= *number;
    else
      take_apart(rewriter, input, product);
  }
}

}  // namespace

std::optional<Linear> linear_in(const Rewriter& rewriter, ValueId value, ValueId x) {
  Linear result{value, 1, 0};
  while (result.x != x) {
    const auto next = step(rewriter, result.x);
    if (!next) return std::nullopt;
    result = {next->x, result.scale * next->scale, result.scale * next->shift + result.shift};
  }
  return result;
}

Linear peel(const Rewriter& rewriter, ValueId value) {
  Linear result{value, 1, 0};
  while (const auto next = step(rewriter, result.x))
    result = {next->x, result.scale * next->scale, result.scale * next->shift + result.shift};
  return result;
}

Product factors_of(const Rewriter& rewriter, const ir::Node& node) {
  Product product;
  if (is_binary(&node, BinaryFunction::mul) || is_binary(&node, BinaryFunction::div))
    take_apart(rewriter, node, product);
  else
    product.factors.push_back(node.outputs[0]);
  return product;
}

bool near(double a, double b) {
  return std::abs(a - b) <= 2e-4 * std::max(std::abs(a), std::abs(b));
}

}  // namespace skiff::passes
