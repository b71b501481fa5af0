#include "runtime/ops/conv.h"

#include <algorithm>

#include "runtime/ops/conv_packed.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

constexpr std::int32_t narrow32(std::int64_t value) noexcept {
  return static_cast<std::int32_t>(value);
}

/// A tap a window position, each reading a group's channels.
ConvPhase indirect_phase(const ConvGeometry& g, std::pmr::memory_resource& memory) {
  const auto taps = make_array<cpu::Tap>(memory, g.taps());
  const auto sources = make_array<std::int32_t>(memory, g.taps());
  std::size_t t = 0;
  for (std::int64_t z = 0; z < g.kernel[0]; ++z)
    for (std::int64_t y = 0; y < g.kernel[1]; ++y)
      for (std::int64_t x = 0; x < g.kernel[2]; ++x, ++t) {
        cpu::Tap& tap = taps[t];
        tap.z = narrow32(z * g.dilation[0] - g.pad_begin[0]);
        tap.y = narrow32(y * g.dilation[1] - g.pad_begin[1]);
        tap.x = narrow32(x * g.dilation[2] - g.pad_begin[2]);
        tap.offset = ((tap.z * g.in[1] + tap.y) * g.in[2] + tap.x) * g.cin;
        sources[t] = narrow32(static_cast<std::int64_t>(t));
      }
  ConvPhase phase;
  phase.source_taps = sources.data();
  cpu::ConvArgs& a = phase.args;
  a.taps = taps.data();
  a.tap_count = narrow32(g.taps());
  a.k = g.group_cin();
  a.in_d = narrow32(g.in[0]), a.in_h = narrow32(g.in[1]), a.in_w = narrow32(g.in[2]);
  a.grid_d = narrow32(g.out[0]), a.grid_h = narrow32(g.out[1]), a.grid_w = narrow32(g.out[2]);
  a.step_z = narrow32(g.stride[0]), a.step_y = narrow32(g.stride[1]);
  a.step_x = narrow32(g.stride[2]);
  a.in_x = g.cin, a.in_y = g.in[2] * a.in_x, a.in_z = g.in[1] * a.in_y;
  a.in_batch = g.in[0] * a.in_z;
  a.out_x = g.cout, a.out_y = g.out[2] * a.out_x, a.out_z = g.out[1] * a.out_y;
  a.out_batch = g.out[0] * a.out_z;
  return phase;
}

bool all_are(const ConvGeometry::Axes& axes, std::int64_t value) noexcept {
  return std::all_of(axes.begin(), axes.end(), [&](std::int64_t v) { return v == value; });
}

bool is_padded(const ConvGeometry& g) noexcept {
  return !all_are(g.pad_begin, 0) || !all_are(g.pad_end, 0);
}

bool is_pointwise(const ConvGeometry& g) noexcept {
  return g.taps() == 1 && all_are(g.stride, 1) && !is_padded(g);
}

RowConvPtr make_packed_conv(const KernelSpec& spec, const ConvGeometry& g) {
  const auto phases = make_array<ConvPhase>(spec.memory, 1);
  phases[0] = indirect_phase(g, spec.memory);
  phases[0].args.linear = is_pointwise(g);
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
  return make_packed_conv(spec, g);
}

bool computes_rows(const ConvGeometry& g) noexcept {
  return g.spatial <= 2 &&
         (depthwise_fits(g) || stem_fits(g) || (is_pointwise(g) && g.groups == 1));
}

RowConvPtr make_row_conv(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  if (depthwise_fits(g)) return make_depthwise_conv(spec, g);
  if (stem_fits(read_conv_geometry(spec.widest()))) return make_stem_conv(spec, g);
  return make_packed_conv(spec, g);
}

}  // namespace skiff
