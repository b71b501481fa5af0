#pragma once

#include <algorithm>
#include <cmath>

#include "schema/skiff_generated.h"

namespace skiff::test {

/// The schema's fused activations, in double precision from their definitions.
inline double reference_activation(fb::UnaryFunction f, double x, double a, double b) {
  using enum fb::UnaryFunction;
  const auto logistic = [](double v) { return 1.0 / (1.0 + std::exp(-v)); };
  const auto unit = [](double v) { return std::clamp(v, 0.0, 1.0); };
  switch (f) {
    case relu:
      return std::max(x, 0.0);
    case clip:
      return std::min(std::max(x, a), b);
    case leaky_relu:
      return x < 0 ? a * x : x;
    case sigmoid:
      return logistic(x);
    case tanh:
      return std::tanh(x);
    case hard_sigmoid:
      return unit(a * x + b);
    case hard_swish:
      return x * unit(x / 6 + 0.5);
    case swish:
      return x * logistic(a * x);
    case gelu_erf:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case elu:
      return x < 0 ? a * std::expm1(x) : x;
    case selu:
      return b * (x < 0 ? a * std::expm1(x) : x);
    case celu:
      return std::max(0.0, x) + std::min(0.0, a * std::expm1(x / a));
    case softplus:
      return x > 30 ? x : std::log1p(std::exp(x));
    case softsign:
      return x / (1 + std::abs(x));
    case mish:
      return x * std::tanh(x > 30 ? x : std::log1p(std::exp(x)));
    case thresholded_relu:
      return x > a ? x : 0;
    case shrink:
      return x < -b ? x + a : x > b ? x - a : 0;
    default:
      return x;
  }
}

}  // namespace skiff::test
