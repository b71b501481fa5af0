#include "runtime/cpu/activation.h"

#include <cmath>

#include "runtime/ops/attributes.h"

namespace skiff::cpu {
namespace {

constexpr bool same(Activation ours, fb::UnaryFunction theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(same(Activation::none, fb::UnaryFunction::none) &&
              same(Activation::relu, fb::UnaryFunction::relu) &&
              same(Activation::clip, fb::UnaryFunction::clip) &&
              same(Activation::leaky_relu, fb::UnaryFunction::leaky_relu) &&
              same(Activation::sigmoid, fb::UnaryFunction::sigmoid) &&
              same(Activation::tanh, fb::UnaryFunction::tanh) &&
              same(Activation::hard_sigmoid, fb::UnaryFunction::hard_sigmoid) &&
              same(Activation::hard_swish, fb::UnaryFunction::hard_swish) &&
              same(Activation::swish, fb::UnaryFunction::swish) &&
              same(Activation::gelu_erf, fb::UnaryFunction::gelu_erf) &&
              same(Activation::gelu_tanh, fb::UnaryFunction::gelu_tanh) &&
              same(Activation::elu, fb::UnaryFunction::elu) &&
              same(Activation::selu, fb::UnaryFunction::selu) &&
              same(Activation::celu, fb::UnaryFunction::celu) &&
              same(Activation::softplus, fb::UnaryFunction::softplus) &&
              same(Activation::softsign, fb::UnaryFunction::softsign) &&
              same(Activation::mish, fb::UnaryFunction::mish) &&
              same(Activation::thresholded_relu, fb::UnaryFunction::thresholded_relu) &&
              same(Activation::shrink, fb::UnaryFunction::shrink));

}  // namespace

Epilogue read_epilogue(const NodeView& node, fb::UnaryFunction function, float alpha, float beta) {
  check(node, static_cast<int>(function) <= static_cast<int>(fb::UnaryFunction::shrink),
        "activation ", static_cast<int>(function), " cannot be fused");
  check(node, !std::isnan(alpha) && !std::isnan(beta), "an activation parameter is not a number");
  return {static_cast<Activation>(function), alpha, beta};
}

}  // namespace skiff::cpu
