#pragma once

// Stored numbers in code that is compiled while loading: without CUDA's own headers, which a board
// need not have. number.cuh has the same for everything else.
namespace skiff::cuda {

struct Half {
  unsigned short bits;
};
struct BFloat {
  unsigned short bits;
};

/// The number of these bits.
__device__ inline float float_of_bits(unsigned bits) { return __uint_as_float(bits); }

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(Half value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}
__device__ inline float to_float(BFloat value) {
  return float_of_bits(static_cast<unsigned>(value.bits) << 16);
}

template <typename T>
__device__ inline T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}
template <>
__device__ inline Half from_float<Half>(float value) {
  Half result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
template <>
__device__ inline BFloat from_float<BFloat>(float value) {
  BFloat result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}

}  // namespace skiff::cuda
