#include "runtime/ops/pixels.h"

#include "runtime/ops/conv_strips.h"
#include "runtime/ops/made.h"

namespace skiff {
namespace {

void infer_pixels(const NodeView& node, std::span<TensorInfo> outputs) {
  outputs[0].dtype = node.attrs<Pixels>().to;
  outputs[0].shape = node.input(0).shape;
}

void infer_pixel_conv(const NodeView& node, std::span<TensorInfo> outputs) {
  const PartsView view(node, node.attrs<PixelConv>().parts);
  outputs[0].dtype = view.result(1).dtype;
  outputs[0].shape = view.result(1).shape;
}

}  // namespace

bool fits_pixel_conv(const ConvGeometry& g) noexcept {
  constexpr std::int64_t kMostElements = (std::int64_t{1} << 31) - 1;
  return stem_fits(g) && g.batch * g.in_pixels() * g.cin <= kMostElements &&
         g.batch * g.out_pixels() * g.cout <= kMostElements;
}

const OpDef& pixels_op() noexcept {
  static constexpr OpDef kRow{.op = made::pixels,
                              .name = "pixels",
                              .min_inputs = 1,
                              .max_inputs = 1 + Pixels::kMaxSteps,
                              .infer = infer_pixels};
  return kRow;
}

const OpDef& pixel_conv_op() noexcept {
  static constexpr OpDef kRow{.op = made::pixel_conv,
                              .name = "pixel_conv",
                              .attrs = fb::Attrs::NONE,
                              .min_inputs = 2,
                              .max_inputs = 4 + Pixels::kMaxSteps,
                              .min_outputs = 1,
                              .max_outputs = 1,
                              .infer = infer_pixel_conv,
                              .make_cpu = make_pixel_conv_cpu};
  return kRow;
}

}  // namespace skiff
