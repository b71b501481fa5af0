#include <algorithm>
#include <optional>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/conv_packed.h"
#include "runtime/ops/conv_strips.h"
#include "runtime/ops/pixel_rows.h"

namespace skiff {
namespace {

class StemConv final : public PackedConv {
 public:
  StemConv(const KernelSpec& spec, const ConvGeometry& g, const StemStrips& strips,
           std::span<ConvPhase> phases, const NodeView* pixels)
      : PackedConv(spec, g, phases, false, "stem"), strips_(strips), threads_(spec.threads) {
    if (pixels != nullptr) pixels_.emplace(*pixels, spec.table);
  }

  std::size_t workspace_bytes() const noexcept override {
    return weights_bytes() + row_scratch_bytes() * static_cast<std::size_t>(threads_);
  }

  Status run(const RunArgs& args) noexcept override {
    const float* packed = weights(args);
    auto* scratch = static_cast<std::byte*>(args.workspace) + weights_bytes();
    const std::int64_t strips = strips_.count();
    const std::int64_t image = geometry_.in_pixels() * geometry_.cin * element_bytes();
    Pixels::Operands pixels{};
    if (pixels_)
      for (std::size_t s = 0; s < pixels.size(); ++s) pixels[s] = args.inputs[4 + s];
    args.pool.parallel_for(geometry_.batch * strips, [&](std::int64_t task, int thread) {
      const std::int64_t row = task % strips * strips_.rows();
      const std::int64_t output =
          (task / strips * geometry_.out[1] + row) * geometry_.out[2] * geometry_.cout;
      run_strip(args.input<std::byte>(0) + task / strips * image, row,
                std::min(strips_.rows(), geometry_.out[1] - row),
                {.weights = packed,
                 .bias = bias(args),
                 .residual = residual(args) == nullptr ? nullptr : residual(args) + output,
                 .pixels = pixels,
                 .output = args.output<float>(0) + output,
                 .scratch = scratch + static_cast<std::size_t>(thread) * row_scratch_bytes()});
    });
    return {};
  }

  std::size_t row_scratch_bytes() const noexcept override {
    return static_cast<std::size_t>(strips_.elements()) * sizeof(float);
  }

  void run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                const RowOperands& operands) const noexcept override {
    RowOperands o = operands;
    for (std::int64_t end = row + rows; row < end; row += strips_.rows()) {
      const std::int64_t count = std::min(strips_.rows(), end - row);
      run_strip(static_cast<const std::byte*>(input.base), row, count, o);
      o.output += count * geometry_.out[2] * geometry_.cout;
      if (o.residual != nullptr) o.residual += count * geometry_.out[2] * geometry_.cout;
    }
  }

 private:
  std::size_t weights_bytes() const noexcept {
    return static_cast<std::size_t>(
        round_up(static_cast<std::int64_t>(PackedConv::workspace_bytes()), 64));
  }

  std::int64_t element_bytes() const noexcept { return pixels_ ? 1 : sizeof(float); }

  /// At most strips_.rows() rows of one image, which starts at `input`.
  void run_strip(const std::byte* input, std::int64_t row, std::int64_t rows,
                 const RowOperands& operands) const noexcept {
    if (pixels_)
      fill_of_pixels(reinterpret_cast<const std::uint8_t*>(input), row, rows, operands);
    else
      strips_.fill(input, row, rows, sizeof(float), 0, operands.scratch);
    cpu::ConvArgs a = phases_[0].args;
    a.input = reinterpret_cast<const float*>(operands.scratch);
    a.weights = operands.weights;
    a.bias = operands.bias;
    a.residual = operands.residual;
    a.output = operands.output;
    table_.conv(a, 0, rows * geometry_.out[2], 0, phases_[0].layout.panels());
  }

  void fill_of_pixels(const std::uint8_t* image, std::int64_t row, std::int64_t rows,
                      const RowOperands& operands) const noexcept {
    PixelRows::Tiles tiles;
    pixels_->fill(operands.pixels, tiles);
    const std::int64_t image_row = geometry_.in[2] * geometry_.cin;
    strips_.fill(row, rows, sizeof(float), 0, operands.scratch,
                 [&](std::int64_t y, std::int64_t count, std::byte* to) {
                   pixels_->convert(image + y * image_row, count, tiles, to);
                 });
  }

  StemStrips strips_;
  std::optional<PixelRows> pixels_;  // none: the input holds floats
  int threads_;
};

}  // namespace

RowConvPtr make_stem_conv(const KernelSpec& spec, const ConvGeometry& g, const NodeView* pixels) {
  const StemStrips strips(g, read_conv_geometry(spec.widest()));
  const auto phases = make_array<ConvPhase>(spec.memory, 1);
  phases[0] = one_phase(strips.grid(spec.memory), spec.memory);
  return make_row_kernel<StemConv>(spec.memory, spec, g, strips, phases, pixels);
}

}  // namespace skiff
