#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

using Mode = fb::ResizeMode;
using Padding = fb::GridPadding;

constexpr int kThreads = 256;
constexpr int kAxes = 3;

/// x [batch, extents..., channels], grid [batch, points, axes] -> y [batch, points, channels].
/// Absent axes come first and have extent 1.
struct GridShape {
  int axes, extent[kAxes], channels;
  std::int64_t points;
  Padding padding;
  bool align_corners;
};

/// Mirrors at low and high until v lies between them.
__device__ inline float reflect(float v, float low, float high) {
  const float range = high - low;
  if (range <= 0.0f) return low;
  const float away = v < low ? low - v : v - low;
  const float rest = fmodf(away, 2.0f * range);
  return low + (rest > range ? 2.0f * range - rest : rest);
}

__device__ inline float clamp(float v, float low, float high) { return fminf(fmaxf(v, low), high); }

/// Keys' kernel with a = -3/4.
__device__ inline float cubic(float x) {
  constexpr float a = -0.75f;
  x = fabsf(x);
  if (x <= 1.0f) return ((a + 2.0f) * x - (a + 3.0f)) * x * x + 1.0f;
  return x < 2.0f ? ((a * x - 5.0f * a) * x + 8.0f * a) * x - 4.0f * a : 0.0f;
}

/// A grid coordinate in [-1, 1] as a position in pixels, rounded once. Not a number and far away
/// become one far outside, which paddings treat as any other.
template <Mode kMode>
__device__ float position(const GridShape& s, float normalized, int extent) {
  constexpr float kFar = 1e9f;
  const float last = static_cast<float>(extent - 1);
  const float half = (s.align_corners ? last : static_cast<float>(extent)) / 2.0f;
  float v = fmaf(normalized, half, last / 2.0f);
  v = !(v > -kFar) ? -kFar : fminf(v, kFar);
  if (kMode == Mode::nearest) v = nearbyintf(v);
  const float low = s.align_corners ? 0.0f : -0.5f, high = last - low;
  if (v >= low && v <= high) return v;
  if (s.padding == Padding::border) return clamp(v, 0.0f, last);
  return s.padding == Padding::reflection ? reflect(v, low, high) : v;
}

/// The pixel that a tap reads; -1: none, zeros lie there.
__device__ inline int tap_index(const GridShape& s, int index, int extent) {
  if (index >= 0 && index < extent) return index;
  if (s.padding == Padding::zeros) return -1;
  const float last = static_cast<float>(extent - 1), low = s.align_corners ? 0.0f : -0.5f;
  float i = static_cast<float>(index);
  if (s.padding == Padding::reflection) i = truncf(reflect(i, low, last - low));
  return static_cast<int>(clamp(i, 0.0f, last));
}

template <Mode kMode>
constexpr int kTaps = kMode == Mode::nearest  ? 1
                      : kMode == Mode::linear ? 2
                                              : 4;

/// The pixels that decide one axis of a sample, and their weights.
template <Mode kMode>
struct AxisTaps {
  int index[kTaps<kMode>];
  float weight[kTaps<kMode>];

  __device__ AxisTaps(const GridShape& s, float normalized, int extent) {
    const float v = position<kMode>(s, normalized, extent), floor = floorf(v), rest = v - floor;
    const int first = static_cast<int>(floor) - (kMode == Mode::cubic ? 1 : 0);
    for (int t = 0; t < kTaps<kMode>; ++t) {
      index[t] = tap_index(s, first + t, extent);
      weight[t] = kMode == Mode::nearest  ? 1.0f
                  : kMode == Mode::linear ? (t == 0 ? 1.0f - rest : rest)
                                          : cubic(rest - static_cast<float>(t - 1));
    }
  }
  /// Of an axis that is absent: its one pixel.
  __device__ AxisTaps() {
    for (int t = 0; t < kTaps<kMode>; ++t) {
      index[t] = t == 0 ? 0 : -1;
      weight[t] = 1.0f;
    }
  }
};

/// A thread an element of y; neighbours share a point, so that reads lie side by side.
template <typename T, Mode kMode>
__global__ void sample_points(GridShape s, std::int64_t count, const T* x, const T* grid, T* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const std::int64_t point = i / s.channels;
  const T* at = grid + point * s.axes;  // the last axis comes first
  AxisTaps<kMode> taps[kAxes];
  for (int axis = 0; axis < kAxes; ++axis)
    if (axis >= kAxes - s.axes)
      taps[axis] = AxisTaps<kMode>(s, to_float(at[kAxes - 1 - axis]), s.extent[axis]);

  float sum = 0.0f;
  const std::int64_t image = point / s.points * s.extent[0];
  for (int d = 0; d < kTaps<kMode>; ++d) {
    if (taps[0].index[d] < 0) continue;
    for (int h = 0; h < kTaps<kMode>; ++h) {
      if (taps[1].index[h] < 0) continue;
      const std::int64_t row = (image + taps[0].index[d]) * s.extent[1] + taps[1].index[h];
      const float weight = taps[0].weight[d] * taps[1].weight[h];
      for (int w = 0; w < kTaps<kMode>; ++w) {
        if (taps[2].index[w] < 0) continue;
        const std::int64_t pixel = row * s.extent[2] + taps[2].index[w];
        sum += weight * taps[2].weight[w] * to_float(x[pixel * s.channels + i % s.channels]);
      }
    }
  }
  y[i] = from_float<T>(sum);
}

class GridSample final : public Kernel {
 public:
  explicit GridSample(const KernelSpec& spec)
      : dtype_(spec.input(0).dtype), count_(spec.output(0).elements()) {
    const auto& attrs = spec.node.attrs<fb::GridSampleAttrs>();
    const Shape &x = spec.input(0).shape, &y = spec.output(0).shape;
    mode_ = attrs.mode();
    shape_ = {x.rank() - 2,     {1, 1, 1},
              narrow(x.back()), y.elements(1, y.rank() - 1),
              attrs.padding(),  attrs.align_corners()};
    for (int axis = 0; axis < shape_.axes; ++axis)
      shape_.extent[kAxes - shape_.axes + axis] = narrow(x[axis + 1]);
    blocks_for(count_, kThreads);
    dispatch_float(dtype_, [](auto) {});
  }

  const char* algorithm() const noexcept override { return "taps"; }

  void enqueue(const LaunchArgs& args) override {
    if (count_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      switch (mode_) {
        case Mode::nearest:
          return run<T, Mode::nearest>(args);
        case Mode::linear:
          return run<T, Mode::linear>(args);
        default:
          return run<T, Mode::cubic>(args);
      }
    });
  }

 private:
  template <typename T, Mode kMode>
  void run(const LaunchArgs& args) const {
    check(Launch<sample_points<T, kMode>>::run(blocks_for(count_, kThreads), kThreads,
                                               args.stream(), shape_, count_, args.input<T>(0),
                                               args.input<T>(1), args.output<T>(0)),
          "grid_sample");
  }

  DType dtype_;
  std::int64_t count_;
  Mode mode_;
  GridShape shape_{};
};

}  // namespace

KernelPtr make_grid_sample(const KernelSpec& spec) {
  return make_kernel<GridSample>(spec.memory, spec);
}

}  // namespace skiff::cuda
