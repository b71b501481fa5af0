#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.cuh"
#include "runtime/cuda/kernels.h"
#include "runtime/ops/conv_cuda.h"
#include "runtime/ops/pixels.h"

// Convolution of one to four channels: images of floats, and of uint8 with what becomes of pixels
// on the way (ops/pixels.h).
namespace skiff::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kPixels = 2;  ///< of the result, that a thread computes
constexpr int kMostCin = 4;
constexpr int kStage = 256;        ///< taps times Cin whose weights are in shared memory at a time
constexpr int kManyChannels = 16;  ///< of the result, that a thread computes; or half as many
constexpr int kVector = 16;        ///< bytes that are written at a time
constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;

/// Height and width.
struct Stem {
  int in[2], out[2], kernel[2], stride[2], dilation[2], pad[2];
  int cin, cout;
  int pixels;  ///< of all images of the result
  int staged;  ///< rows of the window whose weights are in shared memory at a time
};

/// What becomes of pixels, in order; `each` is 1 where there is an operand a channel.
template <typename T>
struct Steps {
  struct Step {
    fb::BinaryFunction function;
    int each;
    const T* operand;
  };
  Step step[Pixels::kMaxSteps];
  int count;

  /// As one factor and one term.
  __device__ void fold(int channel, float& factor, float& term) const {
    factor = 1.0f, term = 0.0f;
    for (int s = 0; s < count; ++s) {
      const float number = to_float(step[s].operand[step[s].each * channel]);
      switch (step[s].function) {
        case fb::BinaryFunction::add:
          term += number;
          break;
        case fb::BinaryFunction::sub:
          term -= number;
          break;
        case fb::BinaryFunction::mul:
          factor *= number, term *= number;
          break;
        default:
          factor /= number, term /= number;
      }
    }
  }
};

/// Where the window of a pixel of the result begins.
struct Origin {
  std::int64_t image;  ///< its first row, of those of all images
  int top, left;

  __device__ Origin(const Stem& s, int pixel) {
    const int row = pixel / s.out[1];
    image = static_cast<std::int64_t>(row / s.out[0]) * s.in[0];
    // One behind the last pixel reads nothing.
    top = pixel < s.pixels ? row % s.out[0] * s.stride[0] - s.pad[0] : -(1 << 30);
    left = pixel % s.out[1] * s.stride[1] - s.pad[1];
  }

  /// The pixel under position (h, v) of the window; null: it is padding.
  template <typename X>
  __device__ const X* tap(const Stem& s, const X* x, int h, int v) const {
    const int row = top + h * s.dilation[0], column = left + v * s.dilation[1];
    if (row < 0 || row >= s.in[0] || column < 0 || column >= s.in[1]) return nullptr;
    return x + ((image + row) * s.in[1] + column) * s.cin;
  }
};

/// Weights as stored, [Cout, taps, Cin]: those of rows [row, row + rows) of the window and of
/// channels [first, first + kChannels), as [taps, Cin, kChannels]; zeros behind the last channel.
template <typename T, int kChannels>
__device__ void stage_weights(const Stem& s, const T* weights, int row, int rows, int first,
                              float* stage) {
  const int length = s.kernel[1] * s.cin, depth = s.kernel[0] * length;
  for (int i = static_cast<int>(threadIdx.x); i < rows * length * kChannels; i += kThreads) {
    const int channel = i / (rows * length), k = i - channel * (rows * length);
    const bool inside = first + channel < s.cout;
    stage[k * kChannels + channel] =
        inside ? to_float(
                     weights[static_cast<std::int64_t>(first + channel) * depth + row * length + k])
               : 0.0f;
  }
}

/// Not for every channel anew: they are unrolled.
__attribute__((noinline)) __device__ float bend(Activation f, float x) { return apply_fused(f, x); }

template <typename T>
__device__ T finish(const Epilogue<T>& epilogue, float value, std::int64_t element, int channel) {
  value = epilogue.biased(value, channel);
  if (epilogue.residual != nullptr) value += to_float(epilogue.residual[element]);
  const bool bends = epilogue.activation.function != fb::UnaryFunction::none;
  return from_float<T>(bends ? bend(epilogue.activation, value) : value);
}

/// A pixel's channels [first, first + kChannels) of the result.
template <typename T, int kChannels>
__device__ void put(const Stem& s, const Epilogue<T>& epilogue, const float* sums, int pixel,
                    int first, T* y) {
  constexpr int kNumbers = kVector / static_cast<int>(sizeof(T));
  struct alignas(kVector) Vector {
    T numbers[kNumbers];
  };
  const std::int64_t element = static_cast<std::int64_t>(pixel) * s.cout + first;
  if (s.cout % kChannels == 0) {
#pragma unroll
    for (int c = 0; c < kChannels; c += kNumbers) {
      Vector vector;
#pragma unroll
      for (int i = 0; i < kNumbers; ++i)
        vector.numbers[i] = finish(epilogue, sums[c + i], element + c + i, first + c + i);
      *reinterpret_cast<Vector*>(y + element + c) = vector;
    }
  } else {
#pragma unroll
    for (int c = 0; c < kChannels; ++c)
      if (first + c < s.cout) y[element + c] = finish(epilogue, sums[c], element + c, first + c);
  }
}

/// A thread kPixels pixels of y, a block's worth apart, with kChannels channels each.
template <typename X, typename T, int kChannels>
__global__ void __launch_bounds__(kThreads)
    convolve_stem(Stem s, Steps<T> steps, Epilogue<T> epilogue, const X* x, const T* weights,
                  T* y) {
  constexpr bool kBytes = sizeof(X) == 1;
  alignas(kVector) __shared__ float stage[kStage * kChannels];
  __shared__ float factors[kMostCin], terms[kMostCin];
  const int thread = static_cast<int>(threadIdx.x);
  if (kBytes && thread < s.cin) steps.fold(thread, factors[thread], terms[thread]);

  const int first = static_cast<int>(blockIdx.y) * kChannels;
  const int pixel = static_cast<int>(blockIdx.x) * kPixels * kThreads + thread;
  const Origin origins[kPixels] = {{s, pixel}, {s, pixel + kThreads}};
  float sums[kPixels][kChannels] = {};
  for (int row = 0; row < s.kernel[0]; row += s.staged) {
    const int left = s.kernel[0] - row, rows = left < s.staged ? left : s.staged;
    if (row > 0) __syncthreads();
    stage_weights<T, kChannels>(s, weights, row, rows, first, stage);
    __syncthreads();
    const float* w = stage;
    for (int h = row; h < row + rows; ++h)
      for (int v = 0; v < s.kernel[1]; ++v) {
        const X* taps[kPixels];
#pragma unroll
        for (int p = 0; p < kPixels; ++p) taps[p] = origins[p].tap(s, x, h, v);
        for (int c = 0; c < s.cin; ++c, w += kChannels) {
#pragma unroll
          for (int p = 0; p < kPixels; ++p) {
            float number = 0.0f;
            if (taps[p] != nullptr) {
              number = read_number(taps[p][c]);
              if (kBytes) number = fmaf(number, factors[c], terms[c]);
            }
#pragma unroll
            for (int n = 0; n < kChannels; ++n) sums[p][n] = fmaf(number, w[n], sums[p][n]);
          }
        }
      }
  }
#pragma unroll
  for (int p = 0; p < kPixels; ++p)
    if (pixel + p * kThreads < s.pixels)
      put<T, kChannels>(s, epilogue, sums[p], pixel + p * kThreads, first, y);
}

Stem stem_of(const ConvGeometry& g) {
  Stem s{};
  for (std::size_t i = 0; i < 2; ++i) {
    s.in[i] = narrow(g.in[1 + i]);
    s.out[i] = narrow(g.out[1 + i]);
    s.kernel[i] = narrow(g.kernel[1 + i]);
    s.stride[i] = narrow(g.stride[1 + i]);
    s.dilation[i] = narrow(g.dilation[1 + i]);
    s.pad[i] = narrow(g.pad_begin[1 + i]);
  }
  s.cin = narrow(g.cin);
  s.cout = narrow(g.cout);
  s.pixels = narrow(g.batch * g.out_pixels());
  s.staged = kStage / (s.kernel[1] * s.cin);
  return s;
}

/// Which inputs of the node are the convolution's.
struct Inputs {
  int image = 0, weights = 1, bias = 2, residual = 3;
};

class StemConv final : public StoredWeightsConv {
 public:
  StemConv(const ConvPlan& plan, const Inputs& inputs)
      : StoredWeightsConv(plan, inputs.weights), stem_(stem_of(plan.geometry)), inputs_(inputs) {}

  /// Of uint8: `pixels` has the operands of `node`'s steps.
  StemConv(const ConvPlan& plan, const Inputs& inputs, const NodeView& node, const Part& pixels)
      : StemConv(plan, inputs) {
    const auto& steps = *static_cast<const Pixels*>(pixels.attributes);
    bytes_ = true;
    count_ = steps.count;
    for (std::size_t s = 0; s < static_cast<std::size_t>(count_); ++s) {
      const int input = pixels.operands[1 + s];
      steps_[s] = {steps.steps[s], input, node.input(input).shape.elements() > 1 ? 1 : 0};
    }
  }

  const char* algorithm() const noexcept override { return bytes_ ? "stem of uint8" : "stem"; }

  void enqueue(const LaunchArgs& args) override {
    if (plan().outputs() == 0) return;
    dispatch_float(plan().dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      bytes_ ? run<std::uint8_t, T>(args) : run<T, T>(args);
    });
  }

 private:
  struct Step {
    fb::BinaryFunction function;
    int input, each;
  };

  template <typename X, typename T>
  void run(const LaunchArgs& args) const {
    stem_.cout % kManyChannels == 0 ? run<X, T, kManyChannels>(args)
                                    : run<X, T, kManyChannels / 2>(args);
  }

  template <typename X, typename T, int kChannels>
  void run(const LaunchArgs& args) const {
    const Epilogue<T> epilogue{plan().has_bias ? args.input<T>(inputs_.bias) : nullptr,
                               plan().has_residual ? args.input<T>(inputs_.residual) : nullptr,
                               plan().activation};
    Steps<T> steps{};
    steps.count = count_;
    for (std::size_t s = 0; s < static_cast<std::size_t>(count_); ++s)
      steps.step[s] = {steps_[s].function, steps_[s].each, args.input<T>(steps_[s].input)};
    const dim3 grid(blocks_for(stem_.pixels, kThreads * kPixels),
                    static_cast<unsigned>(ceil_div(stem_.cout, kChannels)));
    check(Launch<convolve_stem<X, T, kChannels>>::run(
              grid, kThreads, args.stream(), stem_, steps, epilogue, args.input<X>(inputs_.image),
              args.input<T>(inputs_.weights), args.output<T>(0)),
          "convolution of few channels");
  }

  Stem stem_;
  Inputs inputs_;
  std::array<Step, Pixels::kMaxSteps> steps_{};
  int count_ = 0;
  bool bytes_ = false;
};

}  // namespace

bool fits_stem(const ConvPlan& plan) noexcept {
  constexpr std::int64_t kMostBlocks = 65535;
  const ConvGeometry& g = plan.geometry;
  return !plan.transposed && g.spatial <= 2 && g.groups == 1 && g.cin <= kMostCin &&
         g.kernel[2] * g.cin <= kStage && g.cout <= kMostBlocks * kManyChannels / 2 &&
         g.batch * g.out_pixels() <= kMost - kThreads * kPixels;
}

KernelPtr make_stem_conv(const KernelSpec& spec, const ConvPlan& plan) {
  return make_kernel<StemConv>(spec.memory, plan, Inputs{});
}

KernelPtr make_pixel_conv(const KernelSpec& spec) {
  const auto& [pixels, conv] = spec.node.attrs<PixelConv>().parts;
  TensorInfo picture = spec.input(pixels.operands[0]);
  picture.dtype = static_cast<const Pixels*>(pixels.attributes)->to;
  std::array<const TensorInfo*, 4> operands{&picture, nullptr, nullptr, nullptr};
  for (std::size_t i = 1; i < operands.size(); ++i)
    if (conv.operands[i] >= 0) operands[i] = &spec.input(conv.operands[i]);
  const NodeView node{
      .op = fb::OpKind::conv, .attributes = conv.attributes, .inputs = operands, .name = conv.name};
  const ConvPlan plan = read_conv(node);
  if (!fits_stem(plan)) refuse("more channels or a wider window than pixels are taken for");
  const Inputs inputs{pixels.operands[0], conv.operands[1], conv.operands[2], conv.operands[3]};
  return make_kernel<StemConv>(spec.memory, plan, inputs, spec.node, pixels);
}

}  // namespace skiff::cuda
