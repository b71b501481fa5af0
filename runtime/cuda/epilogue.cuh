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
    if (bias != nullptr) value += to_float(bias[channel]);
    if (residual != nullptr) value += to_float(residual[element]);
    return from_float<T>(apply_fused(activation, value));
  }
};

}  // namespace skiff::cuda
