#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <library_types.h>

namespace cuda_double {

/// Element `i` of an array of a CUDA data type, as a float.
inline float load(cudaDataType type, const void* array, std::int64_t i) {
  switch (type) {
    case CUDA_R_16F:
      return __half2float(static_cast<const __half*>(array)[i]);
    case CUDA_R_16BF:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(array)[i]);
    case CUDA_R_8I:
      return static_cast<const std::int8_t*>(array)[i];
    case CUDA_R_8U:
      return static_cast<const std::uint8_t*>(array)[i];
    case CUDA_R_32I:
      return static_cast<float>(static_cast<const std::int32_t*>(array)[i]);
    default:
      return static_cast<const float*>(array)[i];
  }
}

/// What a tensor core takes of a float32: 10 bits of fraction, halves rounded away from zero.
inline float to_tf32(float value) {
  if (!std::isfinite(value)) return value;
  constexpr std::uint32_t kDropped = 13;
  const auto bits = std::bit_cast<std::uint32_t>(value) + (1u << (kDropped - 1));
  return std::bit_cast<float>(bits >> kDropped << kDropped);
}

/// Rounded half to even, or the nearest that the type has.
template <typename T>
T saturate(float value, float low, float high) {
  return static_cast<T>(std::nearbyint(std::isnan(value) ? 0 : std::clamp(value, low, high)));
}

inline void store(cudaDataType type, void* array, std::int64_t i, float value) {
  switch (type) {
    case CUDA_R_16F:
      static_cast<__half*>(array)[i] = __float2half(value);
      break;
    case CUDA_R_16BF:
      static_cast<__nv_bfloat16*>(array)[i] = __float2bfloat16(value);
      break;
    case CUDA_R_8I:
      static_cast<std::int8_t*>(array)[i] = saturate<std::int8_t>(value, -128, 127);
      break;
    case CUDA_R_8U:
      static_cast<std::uint8_t*>(array)[i] = saturate<std::uint8_t>(value, 0, 255);
      break;
    case CUDA_R_32I:
      static_cast<std::int32_t*>(array)[i] = static_cast<std::int32_t>(value);
      break;
    default:
      static_cast<float*>(array)[i] = value;
  }
}

}  // namespace cuda_double
