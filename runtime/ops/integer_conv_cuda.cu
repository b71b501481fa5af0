#include <skiff_device/launch.h>

#include <cmath>
#include <cstring>

#include "runtime/cuda/activation.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/cuda/product_tiles.cuh"
#include "runtime/ops/integer_conv.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;  ///< of a block where each makes an element
constexpr int kWord = 4;       ///< bytes that are gathered at a time

/// How exact sums become results.
struct Results {
  const float *factors, *bias;  ///< an output channel each; bias may be null
  IntegerRounding rounding;
  Activation activation;  ///< of float32 results

  __device__ float value(int sum, int channel) const {
    const float start = bias == nullptr ? 0.0f : rounding.bias_factor * bias[channel];
    return fmaf(static_cast<float>(sum), factors[channel], start);  // as the CPU's kernels round
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
  int pitch;      ///< bytes of a tap in the product: cin, rounded up to whole words
  int depth;      ///< of all taps
  int row_bytes;  ///< of a channel's packed weights: depth, rounded up to whole chunks
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

/// Brings chunks of both operands. kAligned: 16 divides Cin, so that a chunk lies in one tap and at
/// a multiple of 16 bytes.
template <typename X, bool kAligned>
struct Supply {
  const Window& w;
  const Operands& o;
  const X* x;
  const std::int8_t* weights;
  const X* padding;  ///< a chunk of zero points

  __device__ const X* place(const tiles::PixelWindow& window, int tap, int c) const {
    std::int64_t pixel = 0;
    return window.tap(w, tap, pixel) ? x + pixel * o.cin + c : padding;
  }

  /// Up to four numbers; those that a tap does not have meet weights of zero.
  __device__ void bring_word(unsigned char* to, const X* from, int c) const {
    if (o.cin % kWord == 0) return copy_async<kWord>(to, from, true);
    unsigned word = 0;
    for (int i = 0; i < kWord && c + i < o.cin; ++i)
      word |= static_cast<unsigned>(static_cast<std::uint8_t>(from[i])) << (8 * i);
    *reinterpret_cast<unsigned*>(to) = word;
  }

  __device__ void bring_pixel(unsigned char* to, const tiles::PixelWindow& window, int k) const {
    int tap = k / o.pitch, c = k - tap * o.pitch;
    if constexpr (kAligned) {
      copy_async(to, place(window, tap, c), k < o.depth);
    } else {
      const X* from = place(window, tap, c);
      for (int i = 0; i < tiles::kChunk; i += kWord) {
        bring_word(to + i, from, c);
        c += kWord;
        from += kWord;
        if (c < o.pitch) continue;
        c = 0;
        from = place(window, ++tap, c);
      }
    }
  }

  __device__ void bring_filter(unsigned char* to, std::int64_t filter, int k) const {
    const bool inside = filter < o.cout && k < o.row_bytes;
    copy_async(to, inside ? weights + filter * o.row_bytes + k : weights, inside);
  }
};

/// Weights are packed [Cout, row_bytes]; starts make up for the zero point of x.
template <typename X, typename Y, bool kAligned>
__global__ void __launch_bounds__(tiles::kThreads)
    multiply_integers(Window w, Operands o, Results results, const X* x, const std::int8_t* weights,
                      const X* padding, const int* starts, Y* y) {
  tiles::multiply<X, int>(
      w, o.pixels, o.cout, o.row_bytes, Supply<X, kAligned>{w, o, x, weights, padding},
      [&](std::int64_t pixel, std::int64_t filter, int sum) {
        const int channel = static_cast<int>(filter);
        results.put(sum + starts[channel], channel, y + pixel * o.cout + channel);
      });
}

/// Packed: weights, as stored or in rows of whole chunks | a chunk of zero points of x | starts
/// [Cout] | factors [Cout].
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
    operands_.pitch = narrow(round_up(operands_.cin, kWord));
    operands_.depth = narrow(operands_.pitch * geometry_.taps());
    operands_.row_bytes = narrow(round_up(operands_.depth, tiles::kChunk));
    operands_.pixels = geometry_.batch * geometry_.out_pixels();
    blocks_for(outputs(), kThreads);
    if (tiled()) grid_ = tiles::grid_for(operands_.pixels, geometry_.cout);
  }

  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != 1) return {};
    const auto channels = static_cast<std::uint64_t>(geometry_.cout);
    return {starts_at() + channels * (sizeof(int) + sizeof(float)), stored_depth(), 0};
  }

  void pack(int, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    std::memset(packed.data(), 0, packed.size());
    std::memset(packed.data() + weight_bytes(), scales_.x.zero, tiles::kChunk);
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

  const char* algorithm() const noexcept override {
    return tiled() ? "integer product" : "integer";
  }
  bool tensor_cores() const noexcept override { return tiled(); }
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
    return tiled() ? static_cast<std::size_t>(operands_.row_bytes) : stored_depth();
  }
  std::size_t weight_bytes() const noexcept {
    const auto bytes = geometry_.cout * static_cast<std::int64_t>(row_bytes());
    return static_cast<std::size_t>(round_up(bytes, tiles::kChunk));
  }
  std::size_t starts_at() const noexcept { return weight_bytes() + tiles::kChunk; }

  void pack_channel(const std::int8_t* row, std::int64_t channel, std::byte* packed) const {
    std::byte* to = packed + static_cast<std::size_t>(channel) * row_bytes();
    const auto cin = static_cast<std::size_t>(operands_.cin);
    const std::size_t pitch = tiled() ? static_cast<std::size_t>(operands_.pitch) : cin;
    int sum = 0;
    for (std::size_t i = 0; i < stored_depth(); ++i) sum += row[i];
    for (std::size_t at = 0; at < stored_depth(); at += cin, row += cin, to += pitch)
      std::memcpy(to, row, cin);
    const int start = -scales_.x.zero * sum;
    const float factor = integer_factor(scales_, channel);
    const auto place = static_cast<std::size_t>(channel) * 4;
    std::memcpy(packed + starts_at() + place, &start, sizeof start);
    std::memcpy(packed + starts_at() + static_cast<std::size_t>(geometry_.cout) * 4 + place,
                &factor, sizeof factor);
  }

  template <typename X>
  void give(const LaunchArgs& args) const {
    if (to_ == DType::float32) return run<X, float>(args);
    to_ == DType::int8 ? run<X, std::int8_t>(args) : run<X, std::uint8_t>(args);
  }

  template <typename X, typename Y>
  void run(const LaunchArgs& args) const {
    const auto* starts = reinterpret_cast<const int*>(args.input<std::byte>(1) + starts_at());
    Results results = results_;
    results.factors = reinterpret_cast<const float*>(starts + geometry_.cout);
    results.bias = has_bias_ ? args.input<float>(2) : nullptr;
    if (!tiled())
      check(Launch<convolve_integers<X, Y>>::run(blocks_for(outputs(), kThreads), kThreads,
                                                 args.stream(), window_, operands_, results,
                                                 outputs(), args.input<X>(0),
                                                 args.input<std::int8_t>(1), args.output<Y>(0)),
            "integer convolution");
    else if (operands_.cin % tiles::kChunk == 0)
      multiply<X, Y, true>(args, results, starts);
    else
      multiply<X, Y, false>(args, results, starts);
  }

  template <typename X, typename Y, bool kAligned>
  void multiply(const LaunchArgs& args, const Results& results, const int* starts) const {
    const auto* weights = args.input<std::int8_t>(1);
    const auto* padding = reinterpret_cast<const X*>(weights + weight_bytes());
    check(Launch<multiply_integers<X, Y, kAligned>>::run(
              grid_, tiles::kThreads, args.stream(), window_, operands_, results, args.input<X>(0),
              weights, padding, starts, args.output<Y>(0)),
          "integer convolution on tensor cores");
  }

  ConvGeometry geometry_;
  Window window_;
  IntegerScales scales_;
  Operands operands_{};
  Results results_{};
  DType from_, to_;
  bool has_bias_;
  dim3 grid_;
};

}  // namespace

KernelPtr make_integer_conv(const KernelSpec& spec) {
  return make_kernel<IntegerConv>(spec.memory, spec);
}

}  // namespace skiff::cuda
