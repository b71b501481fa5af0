#include <skiff_device/launch.h>
#include <skiff_device/ptx.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/window.cuh"
#include "runtime/ops/conv_cuda.h"

// Convolution as one matrix product on tensor cores: y [pixels, filters] = im2col(x) [pixels,
// taps Cin] w [filters, taps Cin]', the left operand gathered on its way to shared memory.
namespace skiff::cuda {
namespace {

constexpr int kPixels = 64, kFilters = 64, kDepth = 32;  ///< a block's piece of the product
constexpr int kStages = 3;                               ///< pieces in shared memory at once
constexpr int kThreads = 128, kLanes = 32;               ///< four warps, each 32 x 32 of the result
constexpr int kChunk = 8;                                ///< numbers of 16 bytes
constexpr int kChunks = kDepth / kChunk;                 ///< of a row
constexpr int kOwnRows = kPixels * kChunks / kThreads;   ///< chunks a thread brings each time
/// Numbers from a row to the next: eight rows' chunks lie in different banks.
constexpr int kPitch = kDepth + kChunk;
static_assert(kPixels == kFilters, "both operands are brought alike");

struct MmaShape {
  int cin, filters, depth;  ///< depth: taps Cin
  std::int64_t pixels;      ///< of all images of the result
};

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

template <typename T>
struct Tile {
  T rows[kPixels][kPitch];
};

/// Brings pieces of both operands. kAligned: 8 divides Cin, so that the numbers of a chunk lie side
/// by side in global memory too.
template <typename T, bool kAligned>
struct Supply {
  const Window& w;
  const MmaShape& s;
  const T *x, *weights;
  std::int64_t filter;  ///< first one of the block
  int chunk, row;       ///< this thread's, of its first row

  /// The numbers k to k + 7 of a row of the left operand.
  __device__ void bring_pixel(T* to, const PixelWindow& window, int k) const {
    std::int64_t pixel = 0;
    if constexpr (kAligned) {
      const bool good = k < s.depth && window.tap(w, k / s.cin, pixel);
      copy_async(to, good ? x + pixel * s.cin + k % s.cin : x, good);
    } else {
      for (int i = 0; i < kChunk; ++i, ++k) {
        const bool good = k < s.depth && window.tap(w, k / s.cin, pixel);
        to[i] = good ? x[pixel * s.cin + k % s.cin] : from_float<T>(0.0f);
      }
    }
  }

  __device__ void bring_filter(T* to, std::int64_t number, int k) const {
    const T* from = weights + number * s.depth + k;
    const bool good = number < s.filters;
    if constexpr (kAligned) {
      const bool all = good && k < s.depth;
      copy_async(to, all ? from : weights, all);
    } else {
      for (int i = 0; i < kChunk; ++i)
        to[i] = good && k + i < s.depth ? from[i] : from_float<T>(0.0f);
    }
  }

  __device__ void bring(Tile<T>& a, Tile<T>& b, const PixelWindow (&windows)[kOwnRows],
                        int step) const {
    const int k = step * kDepth + chunk * kChunk;
    for (int i = 0; i < kOwnRows; ++i) {
      const int at = row + i * (kThreads / kChunks);
      bring_pixel(&a.rows[at][chunk * kChunk], windows[i], k);
      bring_filter(&b.rows[at][chunk * kChunk], filter + at, k);
    }
  }
};

/// A warp's 32 x 32 of the result: two tiles of 16 rows, four of 8 columns.
struct Sums {
  float of[2][4][4] = {};

  template <typename T>
  __device__ void add(const Tile<T>& a, const Tile<T>& b, int first_row, int first_column,
                      int lane) {
    for (int k = 0; k < kDepth; k += 16) {
      unsigned left[2][4], right[2][4];
      for (int i = 0; i < 2; ++i)
        load_matrices(left[i], &a.rows[first_row + i * 16 + lane % 16][k + lane / 16 * 8]);
      for (int j = 0; j < 2; ++j)
        load_matrices(
            right[j],
            &b.rows[first_column + j * 16 + lane / 16 * 8 + lane % 8][k + lane / 8 % 2 * 8]);
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j)
          multiply_add(of[i][j], left[i], right[j / 2][j % 2 * 2], right[j / 2][j % 2 * 2 + 1],
                       T{});
    }
  }
};

template <typename T, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    convolve_mma(Window w, MmaShape s, Epilogue<T> epilogue, const T* x, const T* weights, T* y) {
  alignas(16) __shared__ Tile<T> a[kStages];
  alignas(16) __shared__ Tile<T> b[kStages];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t first_pixel = static_cast<std::int64_t>(blockIdx.x) * kPixels;
  const std::int64_t first_filter = static_cast<std::int64_t>(blockIdx.y) * kFilters;
  const Supply<T, kAligned> supply{
      w, s, x, weights, first_filter, thread % kChunks, thread / kChunks};
  const PixelWindow windows[kOwnRows] = {
      PixelWindow(w, first_pixel + supply.row, s.pixels),
      PixelWindow(w, first_pixel + supply.row + kThreads / kChunks, s.pixels)};
  const int steps = (s.depth + kDepth - 1) / kDepth;
  const int warp = thread / kLanes, lane = thread % kLanes;
  const int row = warp % 2 * 32, column = warp / 2 * 32;

  // A group a step, empty or not, so that the wait counts steps.
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < steps) supply.bring(a[step], b[step], windows, step);
    end_copy_group();
  }
  Sums sums;
  for (int step = 0; step < steps; ++step) {
    wait_copy_groups<kStages - 2>();
    __syncthreads();  // all of this step is there, and nobody reads the last one's tiles any more
    const int next = step + kStages - 1;
    if (next < steps) supply.bring(a[next % kStages], b[next % kStages], windows, next);
    end_copy_group();
    sums.add(a[step % kStages], b[step % kStages], row, column, lane);
  }

  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int n = 0; n < 4; ++n) {
        const std::int64_t pixel = first_pixel + row + i * 16 + lane / 4 + n / 2 * 8;
        const std::int64_t filter = first_filter + column + j * 8 + lane % 4 * 2 + n % 2;
        if (pixel >= s.pixels || filter >= s.filters) continue;
        const std::int64_t element = pixel * s.filters + filter;
        y[element] = epilogue.apply(sums.of[i][j][n], element, static_cast<int>(filter));
      }
}

class MmaConv final : public StoredWeightsConv {
 public:
  explicit MmaConv(const ConvPlan& plan)
      : StoredWeightsConv(plan), window_(make_window(plan.geometry, plan.geometry.cout)) {
    const ConvGeometry& g = plan.geometry;
    shape_ = {narrow(g.cin), narrow(g.cout), narrow(g.taps() * g.cin), g.batch * g.out_pixels()};
    grid_ = dim3(blocks_for(shape_.pixels, kPixels), blocks_for(g.cout, kFilters));
    if (grid_.y > kMostRows) refuse("too many filters");
  }

  const char* algorithm() const noexcept override { return "implicit product"; }
  bool tensor_cores() const noexcept override { return true; }

  void enqueue(const LaunchArgs& args) override {
    if (plan().dtype == DType::float16)
      shape_.cin % kChunk == 0 ? run<Half, true>(args) : run<Half, false>(args);
    else
      shape_.cin % kChunk == 0 ? run<BFloat, true>(args) : run<BFloat, false>(args);
  }

 private:
  static constexpr unsigned kMostRows = 65535;

  template <typename T, bool kAligned>
  void run(const LaunchArgs& args) const {
    const Epilogue<T> epilogue{plan().has_bias ? args.input<T>(2) : nullptr,
                               plan().has_residual ? args.input<T>(3) : nullptr, plan().activation};
    check(Launch<convolve_mma<T, kAligned>>::run(grid_, kThreads, args.stream(), window_, shape_,
                                                 epilogue, args.input<T>(0), args.input<T>(1),
                                                 args.output<T>(0)),
          "convolution on tensor cores");
  }

  Window window_;
  MmaShape shape_{};
  dim3 grid_;
};

}  // namespace

KernelPtr make_mma_conv(const KernelSpec& spec, const ConvPlan& plan) {
  return make_kernel<MmaConv>(spec.memory, plan);
}

}  // namespace skiff::cuda
