#include "runtime/ops/conv.h"

#include <algorithm>

#include "runtime/ops/conv_packed.h"
#include "runtime/ops/conv_strips.h"
#include "runtime/ops/half_product.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

RowConvPtr make_packed_conv(const KernelSpec& spec, const ConvGeometry& g) {
  const auto phases = make_array<ConvPhase>(spec.memory, 1);
  phases[0] = one_phase(window_grid(g, spec.memory), spec.memory);
  return make_row_kernel<PackedConv>(spec.memory, spec, g, phases, is_padded(g),
                                     is_pointwise(g) ? "product" : "indirect");
}

// The table of taps is small beside the weights unless the window is enormous and the channels few.
constexpr std::int64_t kMaxTaps = 1 << 16;

}  // namespace

KernelPtr make_conv_cpu(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  if (spec.input(0).dtype != DType::float32 || g.taps() > kMaxTaps)
    return make_generic_conv(spec, g);
  if (depthwise_fits(g)) return make_depthwise_conv(spec, g);
  const ConvGeometry widest = read_conv_geometry(spec.widest());
  if (stem_fits(widest)) return make_stem_conv(spec, g);
  if (!spec.frugal && winograd_fits(spec, widest)) return make_winograd_conv(spec, g, widest);
  if (half_conv_fits(spec.node, widest, spec.table)) return make_half_conv(spec, g, widest);
  return make_packed_conv(spec, g);
}

std::optional<ConvGeometry> rows_geometry(const NodeView& node, const cpu::KernelTable& table) {
  if (node.input(0).dtype != DType::float32 || !node.input(1).constant) return {};
  const ConvGeometry g = read_conv_geometry(node);
  const bool pointwise = is_pointwise(g) && g.groups == 1 && !half_conv_fits(node, g, table);
  if (g.spatial > 2 || !(depthwise_fits(g) || stem_fits(g) || pointwise)) return {};
  return g;
}

RowConvPtr make_row_conv(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  if (depthwise_fits(g)) return make_depthwise_conv(spec, g);
  if (stem_fits(read_conv_geometry(spec.widest()))) return make_stem_conv(spec, g);
  return make_packed_conv(spec, g);
}

RowConvPtr make_row_conv(const KernelSpec& spec, const NodeView& pixels) {
  return make_stem_conv(spec, read_conv_geometry(spec.node), &pixels);
}

}  // namespace skiff
