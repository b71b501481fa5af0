#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/product_tiles.cuh"
#include "runtime/ops/conv_cuda.h"

// Convolution of 16-bit floats as one matrix product on tensor cores.
namespace skiff::cuda {
namespace {

struct MmaShape {
  int cin, filters, depth, row_bytes;  ///< depth: taps Cin, row_bytes: the same in bytes
  std::int64_t pixels;                 ///< of all images of the result
};

template <typename T>
constexpr int kNumbers = tiles::kChunk / sizeof(T);  ///< of a chunk

/// Brings chunks of both operands. kAligned: 8 divides Cin, so that the numbers of a chunk lie side
/// by side in global memory too.
template <typename T, bool kAligned>
struct Supply {
  const Window& w;
  const MmaShape& s;
  const T *x, *weights;

  __device__ void bring_pixel(unsigned char* to, const tiles::PixelWindow& window, int byte) const {
    int k = byte / static_cast<int>(sizeof(T));
    std::int64_t pixel = 0;
    if constexpr (kAligned) {
      const bool good = k < s.depth && window.tap(w, k / s.cin, pixel);
      copy_async(to, good ? x + pixel * s.cin + k % s.cin : x, good);
    } else {
#pragma unroll 4  // all eight at a time cost registers
      for (int i = 0; i < kNumbers<T>; ++i, ++k) {
        const bool good = k < s.depth && window.tap(w, k / s.cin, pixel);
        reinterpret_cast<T*>(to)[i] = good ? x[pixel * s.cin + k % s.cin] : from_float<T>(0.0f);
      }
    }
  }

  __device__ void bring_filter(unsigned char* to, std::int64_t filter, int byte) const {
    const int k = byte / static_cast<int>(sizeof(T));
    const T* from = weights + filter * s.depth + k;
    const bool good = filter < s.filters;
    if constexpr (kAligned) {
      const bool all = good && k < s.depth;
      copy_async(to, all ? from : weights, all);
    } else {
      for (int i = 0; i < kNumbers<T>; ++i)
        reinterpret_cast<T*>(to)[i] = good && k + i < s.depth ? from[i] : from_float<T>(0.0f);
    }
  }
};

template <typename T, bool kAligned>
__global__ void __launch_bounds__(tiles::kThreads)
    convolve_mma(Window w, MmaShape s, Epilogue<T> epilogue, const T* x, const T* weights, T* y) {
  tiles::multiply<T, float>(w, s.pixels, s.filters, s.row_bytes,
                            Supply<T, kAligned>{w, s, x, weights},
                            [&](std::int64_t pixel, std::int64_t filter, float sum) {
                              const std::int64_t element = pixel * s.filters + filter;
                              y[element] = epilogue.apply(sum, element, static_cast<int>(filter));
                            });
}

class MmaConv final : public StoredWeightsConv {
 public:
  explicit MmaConv(const ConvPlan& plan)
      : StoredWeightsConv(plan), window_(make_window(plan.geometry, plan.geometry.cout)) {
    const ConvGeometry& g = plan.geometry;
    const std::int64_t depth = g.taps() * g.cin;
    shape_ = {narrow(g.cin), narrow(g.cout), narrow(depth),
              narrow(depth * static_cast<std::int64_t>(size_of(plan.dtype))),
              g.batch * g.out_pixels()};
    grid_ = tiles::grid_for(shape_.pixels, g.cout);
  }

  const char* algorithm() const noexcept override { return "implicit product"; }
  bool tensor_cores() const noexcept override { return true; }

  void enqueue(const LaunchArgs& args) override {
    const bool aligned = shape_.cin % kNumbers<Half> == 0;
    if (plan().dtype == DType::float16)
      aligned ? run<Half, true>(args) : run<Half, false>(args);
    else
      aligned ? run<BFloat, true>(args) : run<BFloat, false>(args);
  }

 private:
  template <typename T, bool kAligned>
  void run(const LaunchArgs& args) const {
    const Epilogue<T> epilogue{plan().has_bias ? args.input<T>(2) : nullptr,
                               plan().has_residual ? args.input<T>(3) : nullptr, plan().activation};
    check(Launch<convolve_mma<T, kAligned>>::run(grid_, tiles::kThreads, args.stream(), window_,
                                                 shape_, epilogue, args.input<T>(0),
                                                 args.input<T>(1), args.output<T>(0)),
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
