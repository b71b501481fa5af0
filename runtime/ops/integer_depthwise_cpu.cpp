#include <algorithm>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_depthwise.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/integer_kernels.h"

namespace skiff {
namespace {

// A thread's rows, as floats, stay in a second-level cache.
constexpr std::int64_t kStripElements = 48 << 10;
constexpr std::int64_t kStripMultiplyAdds = 65536;
// 255 * 128 * 514 < 2^24: every partial sum is an integer that float32 holds.
constexpr std::int64_t kMostExactTaps = 514;

/// Rows of the result that are computed at a time, and the floats that takes.
struct Strip {
  std::int64_t rows = 1, inputs = 0, sums = 0;

  std::int64_t elements() const noexcept { return inputs + sums; }
};

Strip strip_of(const ConvGeometry& g, std::int64_t rows) noexcept {
  const std::int64_t needed = (rows - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1;
  return {rows, round_up(std::min(needed, g.in[1]) * g.in[2] * g.cin, 16),
          round_up(rows * g.out[2] * g.cout, 16)};
}

/// As many rows as make a task and stay in the cache, and never more memory than `room` elements.
Strip choose_strip(const ConvGeometry& g, std::int64_t room) noexcept {
  const std::int64_t work = std::max<std::int64_t>(1, cpu::work_of({g.out[2], g.cout, g.taps()}));
  Strip best = strip_of(g, 1);
  for (std::int64_t rows = 2; rows <= g.out[1] && (rows - 1) * work < kStripMultiplyAdds; ++rows) {
    const Strip strip = strip_of(g, rows);
    if (strip.elements() <= std::min(room, kStripElements)) best = strip;
  }
  return best;
}

/// Strips of the input become floats less the zero point, which the float kernel sums exactly.
/// Packed: DepthwiseWeights | factors [C].
class IntegerDepthwise final : public Kernel {
 public:
  IntegerDepthwise(const KernelSpec& spec, const ConvGeometry& g)
      : table_(spec.table),
        geometry_(g),
        scales_(read_integer_scales(spec.node, spec.output(0))),
        result_(integer_result(spec, scales_)),
        window_(depthwise_window(g)),
        weights_{g.cin, g.taps(), spec.table.lanes},
        threads_(spec.threads),
        is_signed_(spec.input(0).dtype == DType::int8),
        has_bias_(spec.node.has_input(2)) {
    const Strip widest = choose_strip(read_conv_geometry(spec.widest()), INT64_MAX);
    strip_ = choose_strip(g, widest.elements());
    flops_ = cpu::work_of({2, g.batch, g.out_pixels(), g.cout, g.taps()});
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(strip_.elements() * threads_) * sizeof(float);
  }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1
               ? static_cast<std::size_t>(weights_.elements() + geometry_.cout) * sizeof(float)
               : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(weights_.taps) * (sizeof(float) + 1) : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    return integer_key(scales_, geometry_.cout) ^
           static_cast<std::uint64_t>(weights_.taps * 64 + weights_.lanes);
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    auto* to = reinterpret_cast<float*>(packed.data());
    auto* row = reinterpret_cast<float*>(scratch.data());
    const auto taps = static_cast<std::size_t>(weights_.taps);
    auto* stored = reinterpret_cast<std::int8_t*>(row + taps);
    std::fill_n(to, weights_.elements(), 0.0f);
    for (std::int64_t c = 0; c < geometry_.cout; ++c) {
      reader.read({reinterpret_cast<std::byte*>(stored), taps});
      std::copy_n(stored, taps, row);
      weights_.put(c, row, to);
      to[weights_.elements() + c] = integer_factor(scales_, c);
    }
  }

  Status run(const RunArgs& args) noexcept override {
    const std::int64_t strips = ceil_div(geometry_.out[1], strip_.rows);
    args.pool.parallel_for(geometry_.batch * strips, [&](std::int64_t task, int thread) {
      const std::int64_t row = task % strips * strip_.rows;
      run_strip(args, static_cast<float*>(args.workspace) + thread * strip_.elements(),
                task / strips, row, std::min(strip_.rows, geometry_.out[1] - row));
    });
    return {};
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "integer depthwise"; }

 private:
  void run_strip(const RunArgs& args, float* inputs, std::int64_t image, std::int64_t row,
                 std::int64_t rows) const noexcept {
    const ConvGeometry& g = geometry_;
    const std::int64_t top = row * g.stride[1] - g.pad_begin[1];
    const std::int64_t bottom = top + (rows - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1];
    const std::int64_t first = std::clamp<std::int64_t>(top, 0, g.in[1]);
    const std::int64_t count = std::clamp<std::int64_t>(bottom + 1, first, g.in[1]) - first;
    const std::int64_t line = g.in[2] * g.cin;
    table_.widen(args.input<std::uint8_t>(0) + (image * g.in[1] + first) * line, is_signed_,
                 scales_.x.zero, inputs, count * line);

    const auto* packed = args.input<float>(1);
    cpu::WindowArgs a = window_of_rows(window_, first, count, row, rows);
    a.input = inputs;
    a.weights = packed;
    a.zeros = packed + weights_.zeros();
    a.output = inputs + strip_.inputs;
    table_.depthwise(a, 0, rows);

    cpu::IntegerResult result = result_;
    result.factors = packed + weights_.elements();
    if (has_bias_) result.bias = args.input<float>(2);
    const std::int64_t at = (image * g.out[1] + row) * g.out[2] * g.cout;
    const std::int64_t bytes = result.bytes ? 1 : sizeof(float);
    table_.requantize(result, a.output, rows * g.out[2], g.cout,
                      args.output<std::byte>(0) + at * bytes);
  }

  const cpu::KernelTable& table_;
  ConvGeometry geometry_;
  IntegerScales scales_;
  cpu::IntegerResult result_;  // pointers are set on each run
  cpu::WindowArgs window_;
  DepthwiseWeights weights_;
  Strip strip_;
  int threads_;
  std::int64_t flops_ = 0;
  bool is_signed_;
  bool has_bias_;
};

}  // namespace

bool integer_depthwise_fits(const ConvGeometry& g) noexcept {
  return depthwise_fits(g) && g.taps() <= kMostExactTaps;
}

KernelPtr make_integer_depthwise(const KernelSpec& spec, const ConvGeometry& geometry) {
  return make_kernel<IntegerDepthwise>(spec.memory, spec, geometry);
}

}  // namespace skiff
