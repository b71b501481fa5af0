#include <skiff_device/launch.h>
#include <skiff_device/ptx.h>

#include <cmath>
#include <cstring>

#include "runtime/cuda/activation.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/window.cuh"
#include "runtime/ops/integer_conv.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;
/// A block's part of the product of all pixels with all channels, and how many words of four bytes
/// along the sum are in shared memory at a time.
constexpr int kTile = 64, kWords = 8, kSide = 4;

/// How exact sums become results.
struct Results {
  const float *factors, *bias;  ///< an output channel each; bias may be null
  IntegerRounding rounding;
  Activation activation;  ///< of float32 results

  __device__ float value(int sum, int channel) const {
    const float v = static_cast<float>(sum) * factors[channel];
    return bias == nullptr ? v : v + rounding.bias_factor * bias[channel];
  }
  __device__ void put(int sum, int channel, float* y) const {
    *y = apply_fused(activation, value(sum, channel));
  }
  template <typename Q>
  __device__ void put(int sum, int channel, Q* y) const {
    const float v = fminf(fmaxf(value(sum, channel), rounding.low), rounding.high);
    *y = static_cast<Q>(static_cast<int>(rintf(v)) + rounding.zero);
  }
};

struct Operands {
  int zero;       ///< of x
  int cin, cout;  ///< channels of a group
  int all_cin;
  int words;      ///< of a tap: cin bytes, rounded up
  int sum_words;  ///< of all taps
  std::int64_t pixels;
};

/// A thread an element of y. Weights as stored: [Cout, taps, Cin / groups].
template <typename X, typename Y>
__global__ void convolve_integers(Window w, Operands o, Results results, std::int64_t count,
                                  const X* x, const std::int8_t* weights, Y* y) {
  const std::int64_t i = global_thread();
  if (i >= count) return;
  const OutputPlace at(w, i);
  const int taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
  const std::int8_t* filter = weights + static_cast<std::int64_t>(at.channel) * taps * o.cin;
  int sum = 0;
  for (int d = 0; d < w.kernel[0]; ++d)
    for (int h = 0; h < w.kernel[1]; ++h)
      for (int v = 0; v < w.kernel[2]; ++v, filter += o.cin) {
        const TapPlace tap(w, at, d, h, v);
        if (!tap.inside) continue;
        const X* pixel = x + tap.pixel * o.all_cin + at.channel / o.cout * o.cin;
        for (int c = 0; c < o.cin; ++c) sum += (pixel[c] - o.zero) * filter[c];
      }
  results.put(sum, at.channel, y + i);
}

/// What makes signed bytes of x's, which are the same or 128 more.
template <typename X>
constexpr int kFlip = static_cast<X>(-1) < 0 ? 0 : 0x80;

/// Four numbers of x as signed bytes; `count` of them are there, the others meet weights of zero.
template <typename X>
__device__ int signed_bytes(const X* from, int count) {
  unsigned word = 0;
  for (int i = 0; i < count; ++i)
    word |= static_cast<unsigned>(static_cast<std::uint8_t>(from[i]) ^ kFlip<X>) << (8 * i);
  return static_cast<int>(word);
}

/// The row of the product that a thread brings in: a pixel of y, or none.
struct Source {
  OutputPlace place;
  bool valid;

  __device__ Source(const Window& pixels, std::int64_t pixel, std::int64_t count)
      : place(pixels, pixel < count ? pixel : 0), valid(pixel < count) {}

  /// Word `word` of the sum: of a tap outside, zero points.
  template <typename X>
  __device__ int word(const Window& w, const Operands& o, const X* x, int word, int padding) const {
    if (!valid || word >= o.sum_words) return 0;
    const int tap = word / o.words, c = (word - tap * o.words) * 4;
    const int h = tap / w.kernel[2];
    const TapPlace from(w, place, h / w.kernel[1], h % w.kernel[1], tap % w.kernel[2]);
    if (!from.inside) return padding;
    return signed_bytes(x + from.pixel * o.cin + c, o.cin - c < 4 ? o.cin - c : 4);
  }
};

/// A block kTile pixels by kTile channels, a thread kSide by kSide of them. Weights are packed
/// [Cout, words]; starts make up for the zero point of x as signed bytes.
template <typename X, typename Y>
__global__ void multiply_integers(Window w, Operands o, Results results, const X* x,
                                  const int* weights, const int* starts, Y* y) {
  __shared__ int rows[kWords][kTile], columns[kWords][kTile];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t first_pixel = static_cast<std::int64_t>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  Window pixels = w;
  pixels.channels = 1;
  const int word = thread % kWords, line = thread / kWords;  // lines `line` and `line` + kTile / 2
  const Source sources[2] = {Source(pixels, first_pixel + line, o.pixels),
                             Source(pixels, first_pixel + line + kTile / 2, o.pixels)};
  const unsigned zero_byte = static_cast<std::uint8_t>(o.zero ^ kFlip<X>);
  const int padding = static_cast<int>(zero_byte * 0x01010101u);
  int sums[kSide][kSide] = {};
  for (int begin = 0; begin < o.sum_words; begin += kWords) {
    for (int i = 0; i < 2; ++i) {
      const int at = line + i * (kTile / 2), channel = first_channel + at;
      rows[word][at] = sources[i].word(w, o, x, begin + word, padding);
      columns[word][at] =
          channel < o.cout && begin + word < o.sum_words
              ? weights[static_cast<std::int64_t>(channel) * o.sum_words + begin + word]
              : 0;
    }
    __syncthreads();
    for (int k = 0; k < kWords; ++k)
      for (int r = 0; r < kSide; ++r)
        for (int c = 0; c < kSide; ++c)
          sums[r][c] = multiply_add_bytes(rows[k][thread / 16 + 16 * r],
                                          columns[k][thread % 16 + 16 * c], sums[r][c]);
    __syncthreads();
  }
  for (int r = 0; r < kSide; ++r)
    for (int c = 0; c < kSide; ++c) {
      const std::int64_t pixel = first_pixel + thread / 16 + 16 * r;
      const int channel = first_channel + thread % 16 + 16 * c;
      if (pixel < o.pixels && channel < o.cout)
        results.put(sums[r][c] + starts[channel], channel, y + pixel * o.cout + channel);
    }
}

/// Packed: weights, as stored or in whole words | starts [Cout] | factors [Cout].
class IntegerConv final : public Kernel {
 public:
  explicit IntegerConv(const KernelSpec& spec)
      : geometry_(read_conv_geometry(spec.node)),
        window_(make_window(geometry_, geometry_.cout)),
        scales_(read_integer_scales(spec.node, spec.output(0))),
        from_(spec.input(0).dtype),
        to_(spec.output(0).dtype),
        has_bias_(spec.node.has_input(2)) {
    require_exact_sums(spec.node, geometry_);
    const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
    results_.rounding = integer_rounding(spec.node, spec.output(0), scales_);
    results_.activation = {attrs.activation(), attrs.alpha(), attrs.beta()};
    operands_.zero = scales_.x.zero;
    operands_.cin = narrow(geometry_.group_cin()), operands_.cout = narrow(geometry_.group_cout());
    operands_.all_cin = narrow(geometry_.cin);
    operands_.words = (operands_.cin + 3) / 4;
    operands_.sum_words = narrow(operands_.words * geometry_.taps());
    operands_.pixels = geometry_.batch * geometry_.out_pixels();
    blocks_for(outputs(), kThreads);
    if (tiled() && geometry_.cout > kTile * std::int64_t{65535}) refuse("too many channels");
  }

  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != 1) return {};
    const auto channels = static_cast<std::uint64_t>(geometry_.cout);
    return {weight_bytes() + channels * (sizeof(int) + sizeof(float)), stored_depth(), 0};
  }

  void pack(int, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    std::memset(packed.data(), 0, packed.size());
    for (std::int64_t channel = 0; channel < geometry_.cout; ++channel) {
      const std::span<std::byte> row = scratch.first(stored_depth());
      reader.read(row);
      pack_channel(reinterpret_cast<const std::int8_t*>(row.data()), channel, packed.data());
    }
  }

  void enqueue(const LaunchArgs& args) override {
    if (outputs() == 0) return;
    from_ == DType::int8 ? give<std::int8_t>(args) : give<std::uint8_t>(args);
  }

  const char* algorithm() const noexcept override { return tiled() ? "integer tiles" : "integer"; }
  std::int64_t flops() const noexcept override {
    return 2 * outputs() * static_cast<std::int64_t>(stored_depth());
  }

 private:
  std::int64_t outputs() const noexcept { return operands_.pixels * geometry_.cout; }
  bool tiled() const noexcept { return geometry_.groups == 1 && geometry_.cout >= 8; }
  std::size_t stored_depth() const noexcept {
    return static_cast<std::size_t>(geometry_.taps() * geometry_.group_cin());
  }
  std::size_t row_bytes() const noexcept {
    return tiled() ? static_cast<std::size_t>(operands_.sum_words) * 4 : stored_depth();
  }
  std::size_t weight_bytes() const noexcept {
    return (static_cast<std::size_t>(geometry_.cout) * row_bytes() + 15) / 16 * 16;
  }

  void pack_channel(const std::int8_t* row, std::int64_t channel, std::byte* packed) const {
    std::byte* to = packed + static_cast<std::size_t>(channel) * row_bytes();
    const auto cin = static_cast<std::size_t>(operands_.cin);
    const std::size_t pitch = tiled() ? static_cast<std::size_t>(operands_.words) * 4 : cin;
    int sum = 0;
    for (std::size_t i = 0; i < stored_depth(); ++i) sum += row[i];
    for (std::size_t at = 0; at < stored_depth(); at += cin, row += cin, to += pitch)
      std::memcpy(to, row, cin);
    const int offset = from_ == DType::uint8 ? -128 : 0;
    const int start = -(scales_.x.zero + offset) * sum;
    const float factor = integer_factor(scales_, channel);
    const auto place = static_cast<std::size_t>(channel) * 4;
    std::memcpy(packed + weight_bytes() + place, &start, sizeof start);
    std::memcpy(packed + weight_bytes() + static_cast<std::size_t>(geometry_.cout) * 4 + place,
                &factor, sizeof factor);
  }

  template <typename X>
  void give(const LaunchArgs& args) const {
    if (to_ == DType::float32) return run<X, float>(args);
    to_ == DType::int8 ? run<X, std::int8_t>(args) : run<X, std::uint8_t>(args);
  }

  template <typename X, typename Y>
  void run(const LaunchArgs& args) const {
    const auto* packed = args.input<std::byte>(1);
    const auto* starts = reinterpret_cast<const int*>(packed + weight_bytes());
    Results results = results_;
    results.factors = reinterpret_cast<const float*>(starts + geometry_.cout);
    results.bias = has_bias_ ? args.input<float>(2) : nullptr;
    if (!tiled()) {
      check(Launch<convolve_integers<X, Y>>::run(blocks_for(outputs(), kThreads), kThreads,
                                                 args.stream(), window_, operands_, results,
                                                 outputs(), args.input<X>(0),
                                                 args.input<std::int8_t>(1), args.output<Y>(0)),
            "integer convolution");
      return;
    }
    const dim3 grid(blocks_for(operands_.pixels, kTile),
                    static_cast<unsigned>((geometry_.cout + kTile - 1) / kTile));
    check(Launch<multiply_integers<X, Y>>::run(grid, kThreads, args.stream(), window_, operands_,
                                               results, args.input<X>(0), args.input<int>(1),
                                               starts, args.output<Y>(0)),
          "integer convolution");
  }

  ConvGeometry geometry_;
  Window window_;
  IntegerScales scales_;
  Operands operands_{};
  Results results_{};
  DType from_, to_;
  bool has_bias_;
};

}  // namespace

KernelPtr make_integer_conv(const KernelSpec& spec) {
  return make_kernel<IntegerConv>(spec.memory, spec);
}

}  // namespace skiff::cuda
