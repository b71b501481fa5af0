#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_depthwise.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/integer_kernels.h"
#include "runtime/ops/window_grid.h"

namespace skiff {
namespace {

// 255 * 128 * 514 < 2^24: float32 holds every partial sum.
constexpr std::int64_t kMostExactTaps = 514;

/// Packed: DepthwiseWeights as floats | starts [padded] | factors [padded] | padding [padded
/// bytes], padded to whole vectors of channels.
class IntegerDepthwise final : public Kernel {
 public:
  IntegerDepthwise(const KernelSpec& spec, const ConvGeometry& g)
      : table_(spec.table),
        scales_(read_integer_scales(spec.node, spec.output(0))),
        weights_{g.cin, g.taps(), spec.table.lanes},
        rows_(g.batch * g.out[1]),
        has_bias_(spec.node.has_input(2)) {
    static_cast<cpu::WindowGrid&>(args_) = read_window_grid(g, g.cin);
    args_.is_signed = spec.input(0).dtype == DType::int8;
    args_.result = integer_result(spec, scales_);
    rows_per_task_ = cpu::window_rows_per_task(rows_, cpu::work_of({g.out[2], g.cin, g.taps()}));
    flops_ = cpu::work_of({2, rows_, g.out[2], g.cin, g.taps()});
  }

  std::size_t packed_bytes(int input) const noexcept override {
    const std::int64_t padded = weights_.padded_channels();
    const std::int64_t floats = padding_at();
    return input == 1
               ? static_cast<std::size_t>(floats) * sizeof(float) + static_cast<std::size_t>(padded)
               : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    return input == 1 ? static_cast<std::size_t>(weights_.taps) * sizeof(float) +
                            static_cast<std::size_t>(weights_.block_elements())
                      : 0;
  }
  std::uint64_t pack_key(int) const noexcept override {
    return integer_key(scales_, weights_.channels, offset()) ^
           static_cast<std::uint64_t>(weights_.taps * 64 + weights_.lanes);
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    auto* to = reinterpret_cast<float*>(packed.data());
    auto* row = reinterpret_cast<float*>(scratch.data());
    const std::int64_t taps = weights_.taps, lanes = weights_.lanes;
    auto* stored = reinterpret_cast<std::int8_t*>(row + taps);
    std::fill_n(to, padding_at(), 0.0f);
    for (std::int64_t begin = 0; begin < weights_.channels; begin += lanes) {
      const std::int64_t count = std::min(lanes, weights_.channels - begin);
      reader.read(
          std::as_writable_bytes(std::span(stored, static_cast<std::size_t>(count * taps))));
      for (std::int64_t i = 0; i < count; ++i)
        pack_channel(begin + i, {stored + i * taps, static_cast<std::size_t>(taps)}, row, to);
    }
    std::memset(to + padding_at(), scales_.x.zero,
                static_cast<std::size_t>(weights_.padded_channels()));
  }

  Status run(const RunArgs& args) noexcept override {
    const auto* packed = args.input<float>(1);
    cpu::IntegerWindowArgs a = args_;
    a.input = args.input<std::uint8_t>(0);
    a.weights = packed;
    a.starts = packed + starts_at();
    a.padding = reinterpret_cast<const std::uint8_t*>(packed + padding_at());
    a.result.factors = packed + factors_at();
    if (has_bias_) a.result.bias = args.input<float>(2);
    a.output = args.outputs[0];
    args.pool.parallel_for(ceil_div(rows_, rows_per_task_), [&](std::int64_t task) {
      const std::int64_t begin = task * rows_per_task_;
      table_.integer_depthwise(a, begin, std::min(rows_, begin + rows_per_task_));
    });
    return {};
  }

  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "integer depthwise"; }

 private:
  /// `row` has room for the taps.
  void pack_channel(std::int64_t c, std::span<const std::int8_t> stored, float* row,
                    float* to) const noexcept {
    std::copy(stored.begin(), stored.end(), row);
    const int sum = std::accumulate(stored.begin(), stored.end(), 0);
    weights_.put(c, row, to);
    to[starts_at() + c] = static_cast<float>(-(scales_.x.zero + offset()) * sum);
    to[factors_at() + c] = integer_factor(scales_, c);
  }

  std::int32_t offset() const noexcept { return args_.is_signed ? 128 : 0; }
  // In floats.
  std::int64_t starts_at() const noexcept { return weights_.zeros(); }
  std::int64_t factors_at() const noexcept { return starts_at() + weights_.padded_channels(); }
  std::int64_t padding_at() const noexcept { return factors_at() + weights_.padded_channels(); }

  const cpu::KernelTable& table_;
  cpu::IntegerWindowArgs args_;  // pointers are set on each run
  IntegerScales scales_;
  DepthwiseWeights weights_;
  std::int64_t rows_;  // of all images
  std::int64_t rows_per_task_ = 1;
  std::int64_t flops_ = 0;
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
