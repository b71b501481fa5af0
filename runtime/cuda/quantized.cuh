#pragma once

// Real numbers that are stored as integers: real = scale (stored - zero).
namespace skiff::cuda {

/// Of stored - zero, which is exact. The product is rounded, whatever is added to it.
template <typename Integer>
__device__ inline float dequantize(Integer difference, float scale) {
  return __fmul_rn(static_cast<float>(difference), scale);
}

/// saturate(round half to even(real / scale) + zero) of up to 16 bits; a NaN becomes the lowest.
template <typename Q>
__device__ inline Q quantize(float real, float scale, int zero) {
  constexpr bool kSigned = static_cast<Q>(-1) < static_cast<Q>(0);
  constexpr int kHighest = (1 << (8 * sizeof(Q) - (kSigned ? 1 : 0))) - 1;
  constexpr int kLowest = kSigned ? -kHighest - 1 : 0;
  const auto low = static_cast<float>(kLowest - zero), high = static_cast<float>(kHighest - zero);
  float v = real / scale;
  v = v > low ? v : low;
  v = v < high ? v : high;
  return static_cast<Q>(static_cast<int>(nearbyintf(v)) + zero);
}

}  // namespace skiff::cuda
