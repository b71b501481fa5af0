#include <skiff_device/launch.h>

#include "runtime/cuda/block_reduce.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kMostSamples = 1024;  ///< of a bin along an axis; a box that needs more is refused

/// x [batch, height, width, channels], boxes [R, 4] -> y [R, out height, out width, channels].
struct RoiPlan {
  std::int64_t batch;
  int extent[2], out[2], channels;  ///< y, x
  int sampling;                     ///< samples of a bin along an axis; 0: one a pixel
  double scale;
  bool half_pixel;
};

/// One axis of a box, in double: how many samples a bin takes is decided by rounding up.
struct BoxAxis {
  double start, bin;
  int samples;
  bool valid;

  template <typename T>
  __device__ BoxAxis(const RoiPlan& p, const T* box, int axis) {
    const double offset = p.half_pixel ? 0.5 : 0.0;
    start = static_cast<double>(to_float(box[1 - axis])) * p.scale - offset;
    double length = static_cast<double>(to_float(box[3 - axis])) * p.scale - offset - start;
    if (!p.half_pixel) length = fmax(length, 1.0);
    bin = length / p.out[axis];
    const double wanted = p.sampling > 0 ? p.sampling : ceil(bin);
    valid = isfinite(start) && isfinite(length) && wanted <= kMostSamples;
    samples = valid ? max(0, static_cast<int>(wanted)) : 0;
  }
  __device__ double at(int index, int sample) const {
    return start + index * bin + (sample + 0.5) * bin / samples;
  }
};

/// Two neighbouring pixels of an axis: the second weighs `rest`.
struct Between {
  int low;  ///< -1: the sample lies outside
  float rest;

  __device__ void set(double v, int extent) {
    low = -1;
    rest = 0.0f;
    if (!(v >= -1.0 && v <= extent)) return;
    v = fmax(v, 0.0);
    low = min(static_cast<int>(v), extent - 1);
    if (low < extent - 1) rest = static_cast<float>(v - low);
  }
  __device__ float weight(int i) const { return i == 0 ? 1.0f - rest : rest; }
  __device__ int pixel(int i, int extent) const { return min(low + i, extent - 1); }
};

/// What the samples of a bin make of one channel: their mean or the largest weighted pixel.
template <bool kMaximum>
struct Bin {
  Accumulator<Sum> sum;
  float best = 0.0f;
  bool first = true;

  __device__ void add(float v) {
    if (!kMaximum) {
      sum.add(v);
    } else if (first || v > best) {
      best = v;
    }
    first = false;
  }
  __device__ float result(int samples) const {
    return kMaximum ? best : sum.result() / static_cast<float>(max(1, samples));
  }
};

/// A block a bin, threads side by side over the channels. What is no box or no image sets
/// `bad_value` and brings nothing.
template <typename T, typename Index, bool kMaximum>
__global__ void __launch_bounds__(kThreads)
    align_bins(RoiPlan p, const T* x, const T* boxes, const Index* images, T* y,
               std::int32_t* bad_value) {
  __shared__ Between samples[2][kMostSamples];
  const std::int64_t bin = blockIdx.x, roi = bin / p.out[1] / p.out[0];
  const int at[2] = {static_cast<int>(bin / p.out[1] % p.out[0]), static_cast<int>(bin % p.out[1])};
  const std::int64_t image = images[roi];
  const BoxAxis axes[2] = {BoxAxis(p, boxes + roi * 4, 0), BoxAxis(p, boxes + roi * 4, 1)};
  if (image < 0 || image >= p.batch || !axes[0].valid || !axes[1].valid) {
    *bad_value = 1;
    return;
  }
  for (int axis = 0; axis < 2; ++axis)
    for (int i = static_cast<int>(threadIdx.x); i < axes[axis].samples; i += kThreads)
      samples[axis][i].set(axes[axis].at(at[axis], i), p.extent[axis]);
  __syncthreads();

  x += image * p.extent[0] * p.extent[1] * p.channels;
  for (int c = static_cast<int>(threadIdx.x); c < p.channels; c += kThreads) {
    Bin<kMaximum> result;
    for (int sy = 0; sy < axes[0].samples; ++sy)
      for (int sx = 0; sx < axes[1].samples; ++sx) {
        const Between &v = samples[0][sy], &u = samples[1][sx];
        const bool inside = v.low >= 0 && u.low >= 0;
        for (int i = 0; i < 4; ++i) {
          const std::int64_t pixel =
              static_cast<std::int64_t>(v.pixel(i / 2, p.extent[0])) * p.extent[1] +
              u.pixel(i % 2, p.extent[1]);
          result.add(inside
                         ? v.weight(i / 2) * u.weight(i % 2) * to_float(x[pixel * p.channels + c])
                         : 0.0f);
        }
      }
    y[bin * p.channels + c] = from_float<T>(result.result(axes[0].samples * axes[1].samples));
  }
}

class RoiAlign final : public Kernel {
 public:
  explicit RoiAlign(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const auto& attrs = spec.node.attrs<fb::RoiAlignAttrs>();
    const Shape& x = spec.input(0).shape;
    plan_ = {x[0],
             {narrow(x[1]), narrow(x[2])},
             {narrow(attrs.output_height()), narrow(attrs.output_width())},
             narrow(x[3]),
             narrow(attrs.sampling_ratio()),
             static_cast<double>(attrs.spatial_scale()),
             attrs.half_pixel()};
    maximum_ = attrs.max_mode();
    wide_ = spec.input(2).dtype == DType::int64;
    bins_ = blocks_for(x[3] == 0 ? 0 : spec.output(0).shape.elements(0, 3), 1);
    dispatch_float(dtype_, [](auto) {});
  }

  const char* algorithm() const noexcept override { return "block a bin"; }

  void enqueue(const LaunchArgs& args) override {
    if (bins_ == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      wide_ ? run<T, std::int64_t>(args) : run<T, std::int32_t>(args);
    });
  }

 private:
  template <typename T, typename Index>
  void run(const LaunchArgs& args) const {
    maximum_ ? run<T, Index, true>(args) : run<T, Index, false>(args);
  }
  template <typename T, typename Index, bool kMaximum>
  void run(const LaunchArgs& args) const {
    check(Launch<align_bins<T, Index, kMaximum>>::run(
              bins_, kThreads, args.stream(), plan_, args.input<T>(0), args.input<T>(1),
              args.input<Index>(2), args.output<T>(0), args.bad_value()),
          "roi_align");
  }

  DType dtype_;
  RoiPlan plan_{};
  bool maximum_ = false, wide_ = false;
  unsigned bins_ = 0;
};

}  // namespace

KernelPtr make_roi_align(const KernelSpec& spec) {
  return make_kernel<RoiAlign>(spec.memory, spec);
}

}  // namespace skiff::cuda
