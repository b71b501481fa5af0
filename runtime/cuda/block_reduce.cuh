#pragma once

// Reductions over the threads of a block, in a fixed order: equal bits on every run.
namespace skiff::cuda {

constexpr int kRowThreads = 256;  ///< of kernels that give each block a row
constexpr int kLanes = 32;

struct Sum {
  static constexpr float kNeutral = 0.0f;
  __device__ static float of(float a, float b) { return a + b; }
};
/// Hands on a NaN of either side.
struct Maximum {
  static constexpr float kNeutral = -INFINITY;
  __device__ static float of(float a, float b) { return a > b || a != a ? a : b; }
};
struct Minimum {
  static constexpr float kNeutral = INFINITY;
  __device__ static float of(float a, float b) { return a < b || a != a ? a : b; }
};
struct Product {
  static constexpr float kNeutral = 1.0f;
  __device__ static float of(float a, float b) { return a * b; }
};

/// What one thread folds of a row.
template <typename Fold>
struct Accumulator {
  float value = Fold::kNeutral;
  __device__ void add(float v) { value = Fold::of(value, v); }
  __device__ float result() const { return value; }
};
/// Long sums are made of short ones, so that errors grow with the root of the length.
template <>
struct Accumulator<Sum> {
  static constexpr int kShort = 64;
  float value = 0.0f, part = 0.0f;
  int count = 0;
  __device__ void add(float v) {
    part += v;
    if (++count < kShort) return;
    value += part;
    part = 0.0f;
    count = 0;
  }
  __device__ float result() const { return value + part; }
};

/// The value that the lane whose number differs in `lanes` gives.
template <typename T>
__device__ T exchange(T value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, value, lanes);
}

/// Every lane of a warp gives a value and gets the result of all. All must call it.
template <typename Fold, typename T>
__device__ T reduce_warp(T value) {
  for (int lanes = kLanes / 2; lanes > 0; lanes /= 2)
    value = Fold::of(value, exchange(value, lanes));
  return value;
}

/// Every thread gives a value and gets the result of all kRowThreads. All must call it.
template <typename Fold, typename T>
__device__ T reduce_block(T value) {
  __shared__ T parts[kRowThreads / kLanes];
  value = reduce_warp<Fold>(value);
  __syncthreads();  // nobody still reads what an earlier call left in `parts`
  if (threadIdx.x % kLanes == 0) parts[threadIdx.x / kLanes] = value;
  __syncthreads();
  T result = parts[0];
  for (int warp = 1; warp < kRowThreads / kLanes; ++warp) result = Fold::of(result, parts[warp]);
  return result;
}

}  // namespace skiff::cuda
