#pragma once

#include <cmath>

#include "runtime/cuda/activation.h"

// y = f(x) of the schema's UnaryFunction in float. The function is the same for all threads of a
// launch, so a switch costs a uniform branch and one kernel serves them all. Comparisons are
// written so that NaN stays NaN.
namespace skiff::cuda {

__device__ inline float clamp_unit(float v) { return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v; }

__device__ inline float softplus(float x) {
  return (x < 0.0f ? 0.0f : x) + log1pf(expf(-fabsf(x)));
}

/// The functions that are fused behind convolutions, products and sums.
__device__ inline float apply_fused(const Activation& f, float x) {
  using F = fb::UnaryFunction;
  switch (f.function) {
    case F::relu:
      return x < 0.0f ? 0.0f : x;
    case F::clip:
      return x < f.alpha ? fminf(f.alpha, f.beta) : x > f.beta ? f.beta : x;
    case F::leaky_relu:
      return x < 0.0f ? f.alpha * x : x;
    case F::sigmoid:
      return 1.0f / (1.0f + expf(-x));
    case F::tanh:
      return tanhf(x);
    case F::hard_sigmoid:
      return clamp_unit(f.alpha * x + f.beta);
    case F::hard_swish:
      return x * clamp_unit(x / 6.0f + 0.5f);
    case F::swish:
      return x / (1.0f + expf(-f.alpha * x));
    case F::gelu_erf:
      return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case F::gelu_tanh:
      return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
    case F::elu:
      return x < 0.0f ? f.alpha * expm1f(x) : x;
    case F::selu:
      return f.beta * (x < 0.0f ? f.alpha * expm1f(x) : x);
    case F::celu:
      return x < 0.0f ? f.alpha * expm1f(x / f.alpha) : x;
    case F::softplus:
      return softplus(x);
    case F::softsign:
      return x / (1.0f + fabsf(x));
    case F::mish:
      return x * tanhf(softplus(x));
    case F::thresholded_relu:
      return x > f.alpha || x != x ? x : 0.0f;
    case F::shrink:
      return x < -f.beta ? x + f.alpha : x > f.beta ? x - f.alpha : x != x ? x : 0.0f;
    default:
      return x;
  }
}

}  // namespace skiff::cuda
