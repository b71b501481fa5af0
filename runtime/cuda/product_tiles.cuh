#pragma once

#include <skiff_device/ptx.h>

#include "runtime/cuda/window.cuh"

// A convolution as one matrix product on tensor cores: y [pixels, filters] = im2col(x) [pixels,
// taps Cin] w [filters, taps Cin]'. Here is what its kernels share, whatever they multiply: both
// operands pass through shared memory piece by piece, the left one gathered on its way there.
namespace skiff::cuda::tiles {

constexpr int kPixels = 64, kFilters = 64, kDepth = 64;  ///< a block's piece; depth in bytes
constexpr int kStages = 3;                               ///< pieces in shared memory at once
constexpr int kThreads = 128, kLanes = 32;               ///< four warps, each 32 x 32 of the result
constexpr int kChunk = 16;                               ///< bytes a thread brings at once
constexpr int kChunks = kDepth / kChunk;                 ///< of a row
constexpr int kOwnRows = kPixels * kChunks / kThreads;   ///< chunks a thread brings each time
/// Bytes from a row to the next: eight rows' chunks lie in different banks.
constexpr int kPitch = kDepth + kChunk;
static_assert(kPixels == kFilters, "both operands are brought alike");

/// Where the window of a pixel of the result begins.
struct PixelWindow {
  std::int64_t image = 0;
  int from[3] = {};
  bool inside = false;

  __device__ PixelWindow(const Window& w, std::int64_t pixel, std::int64_t pixels)
      : inside(pixel < pixels) {
    for (int i = 2; i >= 0; --i) {
      from[i] = static_cast<int>(pixel % w.out[i]) * w.stride[i] - w.pad[i];
      pixel /= w.out[i];
    }
    image = pixel;
  }

  /// The pixel of x that a tap reads; false: it lies in the padding.
  __device__ bool tap(const Window& w, int number, std::int64_t& pixel) const {
    int at[3];
    for (int i = 2; i >= 0; --i) {
      at[i] = number % w.kernel[i];
      number /= w.kernel[i];
    }
    bool good = inside;
    pixel = image;
    for (int i = 0; i < 3; ++i) {
      const int place = from[i] + at[i] * w.dilation[i];
      good = good && place >= 0 && place < w.in[i];
      pixel = pixel * w.in[i] + place;
    }
    return good;
  }
};

struct alignas(kChunk) Tile {
  unsigned char rows[kPixels][kPitch];
};

/// A warp's 32 x 32 of the result: two tiles of 16 rows, four of 8 columns.
template <typename Sum>
struct Sums {
  Sum of[2][4][4] = {};  ///< in registers, as every loop over it is unrolled

  /// The last parameter names the type of the left operand.
  template <typename T>
  __device__ void add(const Tile& a, const Tile& b, int first_row, int first_column, int lane, T) {
#pragma unroll
    for (int k = 0; k < kDepth; k += 2 * kChunk) {
      unsigned left[2][4], right[2][4];
#pragma unroll
      for (int i = 0; i < 2; ++i)
        load_matrices(left[i], &a.rows[first_row + i * 16 + lane % 16][k + lane / 16 * kChunk]);
#pragma unroll
      for (int j = 0; j < 2; ++j)
        load_matrices(
            right[j],
            &b.rows[first_column + j * 16 + lane / 16 * 8 + lane % 8][k + lane / 8 % 2 * kChunk]);
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j)
          multiply_add(of[i][j], left[i], right[j / 2][j % 2 * 2], right[j / 2][j % 2 * 2 + 1],
                       T{});
    }
  }
};

/// The block's part of the product: calls put(pixel, filter, sum) for each of its elements, those
/// beyond `pixels` and `filters` left out. T: the type of the left operand. `row_bytes`: of a row
/// of either operand. A Supply puts bytes k to k + 15 of a row into shared memory, now or by
/// copy_async(), where what lies beyond the row's end adds nothing to a sum; it has
/// bring_pixel(unsigned char* to, const PixelWindow& window, int k) for im2col(x) and
/// bring_filter(unsigned char* to, std::int64_t filter, int k) for w.
template <typename T, typename Sum, typename Supply, typename Put>
__device__ void multiply(const Window& w, std::int64_t pixels, std::int64_t filters, int row_bytes,
                         const Supply& supply, const Put& put) {
  __shared__ Tile a[kStages], b[kStages];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t first_pixel = static_cast<std::int64_t>(blockIdx.x) * kPixels;
  const std::int64_t first_filter = static_cast<std::int64_t>(blockIdx.y) * kFilters;
  const int chunk = thread % kChunks * kChunk, own_row = thread / kChunks;
  constexpr int kNextRow = kThreads / kChunks;
  const PixelWindow windows[kOwnRows] = {PixelWindow(w, first_pixel + own_row, pixels),
                                         PixelWindow(w, first_pixel + own_row + kNextRow, pixels)};
  const auto bring = [&](int step) {
#pragma unroll
    for (int i = 0; i < kOwnRows; ++i) {
      const int at = own_row + i * kNextRow, k = step * kDepth + chunk;
      supply.bring_pixel(&a[step % kStages].rows[at][chunk], windows[i], k);
      supply.bring_filter(&b[step % kStages].rows[at][chunk], first_filter + at, k);
    }
  };
  const int steps = (row_bytes + kDepth - 1) / kDepth;
  const int warp = thread / kLanes, lane = thread % kLanes;
  const int row = warp % 2 * 32, column = warp / 2 * 32;

  // A group a step, empty or not, so that the wait counts steps.
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < steps) bring(step);
    end_copy_group();
  }
  Sums<Sum> sums;
  for (int step = 0; step < steps; ++step) {
    wait_copy_groups<kStages - 2>();
    __syncthreads();  // all of this step is there, and nobody reads the last one's tiles any more
    const int next = step + kStages - 1;
    if (next < steps) bring(next);
    end_copy_group();
    sums.add(a[step % kStages], b[step % kStages], row, column, lane, T{});
  }

#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        const std::int64_t pixel = first_pixel + row + i * 16 + lane / 4 + n / 2 * 8;
        const std::int64_t filter = first_filter + column + j * 8 + lane % 4 * 2 + n % 2;
        if (pixel < pixels && filter < filters) put(pixel, filter, sums.of[i][j][n]);
      }
}

/// Blocks of kThreads for a product of that size.
inline dim3 grid_for(std::int64_t pixels, std::int64_t filters) {
  constexpr unsigned kMostRows = 65535;
  const dim3 grid(blocks_for(pixels, kPixels), blocks_for(filters, kFilters));
  if (grid.y > kMostRows) refuse("too many filters");
  return grid;
}

}  // namespace skiff::cuda::tiles
