#include <skiff_device/launch.h>

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/product_tiles.cuh"
#include "runtime/ops/integer_conv_cuda.h"
#include "runtime/ops/integer_results.cuh"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;  ///< of a block where each makes an element
constexpr int kWord = 4;       ///< bytes that are gathered at a time

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
__global__ void convolve_integers(Window w, Operands o, IntegerResults results, std::int64_t count,
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
    multiply_integers(Window w, Operands o, IntegerResults results, const X* x,
                      const std::int8_t* weights, const X* padding, const int* starts, Y* y) {
  tiles::multiply<X, int>(
      w, o.pixels, o.cout, o.row_bytes, Supply<X, kAligned>{w, o, x, weights, padding},
      [&](std::int64_t pixel, std::int64_t filter, int sum) {
        const int channel = static_cast<int>(filter);
        results.put(sum + starts[channel], channel, y + pixel * o.cout + channel);
      });
}

bool tiled(const IntegerConvPlan& plan) noexcept {
  return plan.geometry.groups == 1 && plan.geometry.cout >= 8;
}

/// Filters as stored, or in rows of whole chunks.
FilterRows rows_of(const IntegerConvPlan& plan) noexcept {
  if (!tiled(plan)) return {plan.geometry.group_cin(), plan.depth()};
  const std::int64_t pitch = round_up(plan.geometry.cin, kWord);
  return {pitch, round_up(pitch * plan.geometry.taps(), tiles::kChunk)};
}

class IntegerConv final : public IntegerConvKernel {
 public:
  explicit IntegerConv(const IntegerConvPlan& plan)
      : IntegerConvKernel(plan, rows_of(plan)),
        window_(make_window(plan.geometry, plan.geometry.cout)) {
    static_assert(kChunk == tiles::kChunk);
    const ConvGeometry& g = plan.geometry;
    const FilterRows rows = rows_of(plan);
    results_.rounding = plan.rounding;
    results_.activation = plan.activation;
    operands_ = {.zero = plan.scales.x.zero,
                 .cin = narrow(g.group_cin()),
                 .cout = narrow(g.group_cout()),
                 .all_cin = narrow(g.cin),
                 .pitch = narrow(rows.pitch),
                 .depth = narrow(rows.pitch * g.taps()),
                 .row_bytes = narrow(rows.bytes),
                 .pixels = plan.pixels()};
    blocks_for(plan.outputs(), kThreads);
    if (tiled(plan)) grid_ = tiles::grid_for(operands_.pixels, g.cout);
  }

  void enqueue(const LaunchArgs& args) override {
    if (plan().outputs() == 0) return;
    plan().from == DType::int8 ? give<std::int8_t>(args) : give<std::uint8_t>(args);
  }

  const char* algorithm() const noexcept override {
    return tiled(plan()) ? "integer product" : "integer";
  }
  bool tensor_cores() const noexcept override { return tiled(plan()); }

 private:
  template <typename X>
  void give(const LaunchArgs& args) const {
    if (plan().to == DType::float32) return run<X, float>(args);
    plan().to == DType::int8 ? run<X, std::int8_t>(args) : run<X, std::uint8_t>(args);
  }

  template <typename X, typename Y>
  void run(const LaunchArgs& args) const {
    const auto* packed = args.input<std::byte>(1);
    IntegerResults results = results_;
    results.factors = reinterpret_cast<const float*>(packed + factors_at());
    results.bias = plan().has_bias ? args.input<float>(2) : nullptr;
    if (!tiled(plan()))
      check(Launch<convolve_integers<X, Y>>::run(blocks_for(plan().outputs(), kThreads), kThreads,
                                                 args.stream(), window_, operands_, results,
                                                 plan().outputs(), args.input<X>(0),
                                                 args.input<std::int8_t>(1), args.output<Y>(0)),
            "integer convolution");
    else if (operands_.cin % tiles::kChunk == 0)
      multiply<X, Y, true>(args, results);
    else
      multiply<X, Y, false>(args, results);
  }

  template <typename X, typename Y, bool kAligned>
  void multiply(const LaunchArgs& args, const IntegerResults& results) const {
    const auto* weights = args.input<std::int8_t>(1);
    const auto* padding = reinterpret_cast<const X*>(weights + zeros_at());
    const auto* starts = reinterpret_cast<const int*>(weights + starts_at());
    check(Launch<multiply_integers<X, Y, kAligned>>::run(
              grid_, tiles::kThreads, args.stream(), window_, operands_, results, args.input<X>(0),
              weights, padding, starts, args.output<Y>(0)),
          "integer convolution on tensor cores");
  }

  Window window_;
  Operands operands_{};
  IntegerResults results_{};
  dim3 grid_;
};

}  // namespace

KernelPtr make_own_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan) {
  return make_kernel<IntegerConv>(spec.memory, plan);
}

}  // namespace skiff::cuda
