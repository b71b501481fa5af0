#pragma once

#include "runtime/cuda/activation.cuh"

// Functions of one and of two numbers in float; like activation.cuh's one switch for all.
namespace skiff::cuda {

__device__ inline float sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }

__device__ inline float apply(const Activation& f, float x) {
  using F = fb::UnaryFunction;
  switch (f.function) {
    case F::abs:
      return fabsf(x);
    case F::neg:
      return -x;
    case F::exp:
      return expf(x);
    case F::log:
      return logf(x);
    case F::sqrt:
      return sqrtf(x);
    case F::rsqrt:
      return 1.0f / sqrtf(x);
    case F::reciprocal:
      return 1.0f / x;
    case F::square:
      return x * x;
    case F::floor:
      return floorf(x);
    case F::ceil:
      return ceilf(x);
    case F::round:
      return nearbyintf(x);
    case F::sign:
      return sign(x);
    case F::erf:
      return erff(x);
    case F::sin:
      return sinf(x);
    case F::cos:
      return cosf(x);
    default:
      return apply_fused(f, x);
  }
}

/// minimum and maximum hand on a NaN of either side; mod is Python's.
__device__ inline float combine(fb::BinaryFunction f, float a, float b) {
  using Function = fb::BinaryFunction;
  switch (f) {
    case Function::add:
      return a + b;
    case Function::sub:
      return a - b;
    case Function::mul:
      return a * b;
    case Function::div:
      return a / b;
    case Function::squared_difference:
      return (a - b) * (a - b);
    case Function::pow:
      return powf(a, b);
    case Function::minimum:
      return a < b || a != a ? a : b;
    case Function::maximum:
      return a > b || a != a ? a : b;
    case Function::fmod:
      return fmodf(a, b);
    case Function::mod: {
      const float rest = fmodf(a, b);
      return rest != 0.0f ? ((rest < 0.0f) != (b < 0.0f) ? rest + b : rest) : copysignf(0.0f, b);
    }
    case Function::floor_div:
      return floorf(a / b);
    case Function::prelu:
      return a < 0.0f ? a * b : a;
    default:
      return atan2f(a, b);
  }
}

}  // namespace skiff::cuda
