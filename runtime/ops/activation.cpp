#include "runtime/ops/activation.h"

#include <cmath>

#include "runtime/ops/attributes.h"

namespace skiff {

void check_activation(const NodeView& node, fb::UnaryFunction function, float alpha, float beta) {
  check(node, function <= fb::UnaryFunction::shrink, "activation ", static_cast<int>(function),
        " is not one that can be fused");
  check(node, !std::isnan(alpha) && !std::isnan(beta), "alpha or beta of the activation is NaN");
}

}  // namespace skiff
