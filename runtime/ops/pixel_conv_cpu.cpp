#include "runtime/ops/conv_rows.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parts_cpu.h"
#include "runtime/ops/pixel_rows.h"

namespace skiff {
namespace {

constexpr int kPixels = 0, kConv = 1;

/// What both kernels have in common. Operands of the parts are those of the node by their numbers.
class PixelConvKernel : public PartsKernel {
 public:
  explicit PixelConvKernel(const KernelSpec& spec)
      : PartsKernel(spec.node.attrs<PixelConv>().parts),
        parts_(spec.node.attrs<PixelConv>().parts) {}

  bool can_overwrite(int input, int) const noexcept final {
    return input == parts_[kConv].operands[3];
  }

 protected:
  const void* operand(const RunArgs& args, int part, std::size_t i) const noexcept {
    const int input = parts_[at(part)].operands[i];
    return input < 0 ? nullptr : args.inputs[input];
  }

 private:
  const std::array<Part, 2>& parts_;
};

KernelSpec spec_of(const KernelSpec& whole, const PartsView& view, const PartsView& widest,
                   int part) {
  return {.node = view.part(part),
          .outputs = {&view.result(part), 1},
          .table = whole.table,
          .threads = whole.threads,
          .memory = whole.memory,
          .largest = &widest.part(part)};
}

/// The convolution's kernel fills its strips with pixels.
class StripsKernel final : public PixelConvKernel {
 public:
  explicit StripsKernel(const KernelSpec& spec) : PixelConvKernel(spec) {
    const auto& parts = spec.node.attrs<PixelConv>().parts;
    const PartsView view(spec.node, parts), widest(spec.widest(), parts);
    set_kernel(kConv, make_row_conv(spec_of(spec, view, widest, kConv), view.part(kPixels)));
  }

  std::size_t workspace_bytes() const noexcept override { return kernel(kConv).workspace_bytes(); }

  Status run(const RunArgs& args) noexcept override {
    std::array<const void*, 4 + Pixels::kMaxSteps> inputs{operand(args, kPixels, 0)};
    for (std::size_t i = 1; i < 4; ++i) inputs[i] = operand(args, kConv, i);
    for (std::size_t s = 0; s < Pixels::kMaxSteps; ++s)
      inputs[4 + s] = operand(args, kPixels, 1 + s);
    return kernel(kConv).run({inputs.data(), args.outputs, args.workspace, args.pool, nullptr});
  }

  const char* algorithm() const noexcept override { return "stem of uint8"; }
};

/// One after the other, for 16-bit floats: what a GPU's session falls back on.
class InTurnKernel final : public PixelConvKernel {
 public:
  explicit InTurnKernel(const KernelSpec& spec) : PixelConvKernel(spec) {
    const auto& parts = spec.node.attrs<PixelConv>().parts;
    const PartsView view(spec.node, parts), widest(spec.widest(), parts);
    set_kernel(kPixels, make_pixels_cpu(spec_of(spec, view, widest, kPixels)));
    set_kernel(kConv, make_conv_cpu(spec_of(spec, view, widest, kConv)));
    picture_ = static_cast<std::size_t>(round_up(widest.result(kPixels).bytes(), 64));
  }

  std::size_t workspace_bytes() const noexcept override {
    return picture_ + kernel(kConv).workspace_bytes();
  }

  Status run(const RunArgs& args) noexcept override {
    std::array<const void*, 4> of_pixels{}, of_conv{args.workspace};
    for (std::size_t i = 0; i < 4; ++i) {
      of_pixels[i] = operand(args, kPixels, i);
      if (i > 0) of_conv[i] = operand(args, kConv, i);
    }
    void* picture = args.workspace;
    const Status status =
        kernel(kPixels).run({of_pixels.data(), &picture, nullptr, args.pool, nullptr});
    if (!status.ok()) return status;
    return kernel(kConv).run({of_conv.data(), args.outputs,
                              static_cast<std::byte*>(args.workspace) + picture_, args.pool,
                              nullptr});
  }

  const char* algorithm() const noexcept override { return "part by part"; }

 private:
  std::size_t picture_ = 0;
};

}  // namespace

KernelPtr make_pixel_conv_cpu(const KernelSpec& spec) {
  if (spec.output(0).dtype == DType::float32) return make_kernel<StripsKernel>(spec.memory, spec);
  return make_kernel<InTurnKernel>(spec.memory, spec);
}

}  // namespace skiff
