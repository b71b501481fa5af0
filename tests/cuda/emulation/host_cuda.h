#pragma once

// Comes before every .cu source that is compiled for the host: what nvcc would bring along.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

// One launch runs at a time, so a block's shared memory may be static.
#define __shared__ static
#define __launch_bounds__(...)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "tests/cuda/emulation/block.h"

#define threadIdx (::cuda_emulation::block().current->index)
#define blockIdx (::cuda_emulation::block().block_index)
#define blockDim (::cuda_emulation::block().block_extent)
#define gridDim (::cuda_emulation::block().grid_extent)

inline void __syncthreads() { cuda_emulation::block().barrier(); }

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  auto& block = cuda_emulation::block();
  return block.exchange(mask, value, block.current->lane ^ static_cast<unsigned>(lanes),
                        "__shfl_xor_sync");
}

/// A block's threads run one at a time.
inline int atomicMax(int* place, int value) {
  const int before = *place;
  *place = std::max(before, value);
  return before;
}

inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float __fmul_rn(float a, float b) { return a * b; }
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
using std::max;
using std::min;
