#pragma once

#include "runtime/cuda/activation.cuh"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {

/// What follows a convolution or product: activation(v + bias[channel] + residual[element]).
template <typename T>
struct Epilogue {
  const T* bias = nullptr;
  const T* residual = nullptr;
  Activation activation;

  __device__ T apply(float value, std::int64_t element, int channel) const {
    value = biased(value, channel);
    if (residual != nullptr) value += to_float(residual[element]);
    return from_float<T>(apply_fused(activation, value));
  }
  /// Without residual, and not rounded to T.
  __device__ float apply_wide(float value, int channel) const {
    return apply_fused(activation, biased(value, channel));
  }

  __device__ float biased(float value, int channel) const {
    return bias == nullptr ? value : value + to_float(bias[channel]);
  }
};

}  // namespace skiff::cuda
