#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/cuda/activation.cuh"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/integer_conv.h"

namespace skiff::cuda {

/// How exact sums become results.
struct IntegerResults {
  const float *factors, *bias;  ///< an output channel each; bias may be null
  IntegerRounding rounding;
  Activation activation;  ///< of float32 results

  __device__ float value(int sum, int channel) const {
    const float start = bias == nullptr ? 0.0f : rounding.bias_factor * bias[channel];
    return fmaf(static_cast<float>(sum), factors[channel], start);  // as the CPU's kernels round
  }
  __device__ void put(int sum, int channel, float* y) const {
    *y = apply_fused(activation, value(sum, channel));
  }
  template <typename Q>
  __device__ void put(int sum, int channel, Q* y) const {
    const float v = fminf(fmaxf(value(sum, channel), rounding.low), rounding.high);
    *y = static_cast<Q>(static_cast<int>(rintf(v)) + rounding.zero);
  }
};

}  // namespace skiff::cuda
