#include <algorithm>
#include <cstring>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_packed.h"

namespace skiff {
namespace {

constexpr std::int64_t kStripElements = 16 << 10;
constexpr std::int64_t kStripMultiplyAdds = 262144;

/// Output rows that share a strip: enough work for a task, and the strip stays in the first-level
/// cache where a row allows it.
std::int64_t rows_of_strip(const ConvGeometry& g) noexcept {
  const std::int64_t row_work =
      std::max<std::int64_t>(1, cpu::work_of({g.out[2], g.cout, g.taps(), g.cin}));
  const std::int64_t row_elements = std::max<std::int64_t>(1, g.in[2] * g.cin * g.stride[1]);
  const std::int64_t for_work = kStripMultiplyAdds / row_work;
  const std::int64_t for_cache = kStripElements / row_elements;
  return std::clamp<std::int64_t>(std::min(for_work, for_cache), 1, g.out[1]);
}

std::int64_t height_of_strip(const ConvGeometry& g, std::int64_t rows) noexcept {
  return (rows - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1;
}

std::int64_t width_of_strip(const ConvGeometry& g) noexcept {
  return (g.out[2] - 1) * g.stride[2] + g.kernel[2];
}

std::int64_t strip_elements(const ConvGeometry& g, std::int64_t rows) noexcept {
  return round_up(height_of_strip(g, rows) * width_of_strip(g) * g.cin, 16);
}

class StemConv final : public PackedConv {
 public:
  StemConv(const KernelSpec& spec, const ConvGeometry& g, std::span<ConvPhase> phases)
      : PackedConv(spec, g, phases, false, "stem"),
        threads_(spec.threads),
        rows_(rows_of_strip(g)),
        width_(width_of_strip(g)) {
    // Narrower pictures would have higher strips: as high as the room made for the widest allows.
    const ConvGeometry widest = read_conv_geometry(spec.widest());
    const std::int64_t room = strip_elements(widest, rows_of_strip(widest));
    while (rows_ > 1 && strip_elements(g, rows_) > room) --rows_;
    strip_ = strip_elements(g, rows_);
  }

  std::size_t workspace_bytes() const noexcept override {
    return weights_bytes() + static_cast<std::size_t>(strip_ * threads_) * sizeof(float);
  }

  Status run(const RunArgs& args) noexcept override {
    const float* packed = weights(args);
    auto* strips =
        reinterpret_cast<float*>(static_cast<std::byte*>(args.workspace) + weights_bytes());
    const std::int64_t chunks = ceil_div(geometry_.out[1], rows_);
    const std::int64_t image = geometry_.in_pixels() * geometry_.cin;
    args.pool.parallel_for(geometry_.batch * chunks, [&](std::int64_t task, int thread) {
      const std::int64_t row = task % chunks * rows_;
      const std::int64_t output =
          (task / chunks * geometry_.out[1] + row) * geometry_.out[2] * geometry_.cout;
      run_strip(args.input<float>(0) + task / chunks * image, row,
                std::min(rows_, geometry_.out[1] - row),
                {.weights = packed,
                 .bias = bias(args),
                 .residual = residual(args) == nullptr ? nullptr : residual(args) + output,
                 .output = args.output<float>(0) + output,
                 .scratch = reinterpret_cast<std::byte*>(strips + thread * strip_)});
    });
    return {};
  }

  std::size_t row_scratch_bytes() const noexcept override {
    return static_cast<std::size_t>(strip_) * sizeof(float);
  }

  void run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                const RowOperands& operands) const noexcept override {
    RowOperands o = operands;
    for (std::int64_t end = row + rows; row < end; row += rows_) {
      const std::int64_t count = std::min(rows_, end - row);
      run_strip(input.base, row, count, o);
      o.output += count * geometry_.out[2] * geometry_.cout;
      if (o.residual != nullptr) o.residual += count * geometry_.out[2] * geometry_.cout;
    }
  }

 private:
  std::size_t weights_bytes() const noexcept {
    return static_cast<std::size_t>(
        round_up(static_cast<std::int64_t>(PackedConv::workspace_bytes()), 64));
  }

  /// At most rows_ rows of one image, which starts at `input`.
  void run_strip(const float* input, std::int64_t row, std::int64_t rows,
                 const RowOperands& operands) const noexcept {
    const ConvGeometry& g = geometry_;
    auto* strip = reinterpret_cast<float*>(operands.scratch);
    const std::int64_t top = row * g.stride[1] - g.pad_begin[1];
    const std::int64_t height = height_of_strip(g, rows);
    for (std::int64_t y = 0; y < height; ++y) copy_row(input, top + y, strip + y * width_ * g.cin);

    cpu::ConvArgs a = phases_[0].args;
    a.input = strip;
    a.weights = operands.weights;
    a.bias = operands.bias;
    a.residual = operands.residual;
    a.output = operands.output;
    a.grid_h = static_cast<std::int32_t>(rows);
    a.in_h = static_cast<std::int32_t>(height);
    table_.conv(a, 0, rows * g.out[2], 0, phases_[0].layout.panels());
  }

  /// Row y of the padded input, as far to the right as windows reach.
  void copy_row(const float* input, std::int64_t y, float* to) const noexcept {
    const ConvGeometry& g = geometry_;
    const auto bytes = [&](std::int64_t pixels) {
      return static_cast<std::size_t>(pixels * g.cin) * sizeof(float);
    };
    if (y < 0 || y >= g.in[1]) {
      std::memset(to, 0, bytes(width_));
      return;
    }
    const std::int64_t left = std::min(g.pad_begin[2], width_);
    const std::int64_t middle = std::min(g.in[2], width_ - left);
    std::memset(to, 0, bytes(left));
    std::memcpy(to + left * g.cin, input + y * g.in[2] * g.cin, bytes(middle));
    std::memset(to + (left + middle) * g.cin, 0, bytes(width_ - left - middle));
  }

  int threads_;
  std::int64_t rows_;
  std::int64_t width_ = 0, strip_ = 0;  // of the strip, in pixels; its elements
};

}  // namespace

bool stem_fits(const ConvGeometry& g) noexcept {
  // Wide windows or dilation would copy far more than is used.
  return g.spatial <= 2 && g.groups == 1 && g.cin <= 4 && g.kernel[2] > 1 && g.kernel[2] <= 64 &&
         g.kernel[1] <= 64 && g.dilation[2] == 1 && g.dilation[1] <= 4 && g.out[2] <= (1 << 20) &&
         g.stride[1] <= 64 && g.stride[2] <= 2 * g.kernel[2];
}

RowConvPtr make_stem_conv(const KernelSpec& spec, const ConvGeometry& g) {
  const auto phases = make_array<ConvPhase>(spec.memory, 1);
  const auto taps = make_array<cpu::Tap>(spec.memory, g.kernel[1]);
  const auto sources = make_array<std::int32_t>(spec.memory, g.kernel[1]);
  const std::int64_t width = width_of_strip(g);
  for (std::size_t y = 0; y < taps.size(); ++y) {
    taps[y].y = static_cast<std::int32_t>(static_cast<std::int64_t>(y) * g.dilation[1]);
    taps[y].offset = taps[y].y * width * g.cin;
    sources[y] = static_cast<std::int32_t>(y);
  }
  phases[0].source_taps = sources.data();
  cpu::ConvArgs& a = phases[0].args;
  a.taps = taps.data();
  a.tap_count = static_cast<std::int32_t>(taps.size());
  a.k = g.kernel[2] * g.cin;
  a.in_w = static_cast<std::int32_t>(width);
  a.grid_h = static_cast<std::int32_t>(g.out[1]);
  a.grid_w = static_cast<std::int32_t>(g.out[2]);
  a.step_y = static_cast<std::int32_t>(g.stride[1]);
  a.step_x = static_cast<std::int32_t>(g.stride[2]);
  a.in_x = g.cin, a.in_y = width * g.cin;
  a.out_x = g.cout, a.out_y = g.out[2] * g.cout;
  return make_row_kernel<StemConv>(spec.memory, spec, g, phases);
}

}  // namespace skiff
