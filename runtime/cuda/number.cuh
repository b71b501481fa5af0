#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

// Stored numbers and the type they are computed in.
namespace skiff::cuda {

using Half = __half;
using BFloat = __nv_bfloat16;

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(Half value) { return __half2float(value); }
__device__ inline float to_float(BFloat value) { return __bfloat162float(value); }

template <typename T>
__device__ inline T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__device__ inline Half from_float<Half>(float value) {
  return __float2half(value);
}
template <>
__device__ inline BFloat from_float<BFloat>(float value) {
  return __float2bfloat16(value);
}

/// A number of any stored type as a float. The way back is from_float's, to floats alone: other
/// casts saturate and wrap by rules that are the CPU's.
template <typename T>
__device__ float read_number(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<float>(value);
  } else {
    return to_float(value);
  }
}

/// The type that stored numbers are computed in: float for the 16-bit ones, else their own.
template <typename T>
using Computed = std::conditional_t<std::is_arithmetic_v<T>, T, float>;

template <typename T>
__device__ Computed<T> load(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else {
    return to_float(value);
  }
}
template <typename T>
__device__ T store(Computed<T> value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else {
    return from_float<T>(value);
  }
}

/// This thread's number in a one-dimensional grid.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace skiff::cuda
