#include <algorithm>
#include <optional>

#include "runtime/ops/conv_packed.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

// A transposed convolution is one ordinary convolution of stride 1 for every residue of the output
// position modulo the stride: output r + i s takes the taps k with (r + pad - k dilation) divisible
// by s, from input i + (r + pad - k dilation) / s.

/// What one axis contributes to a phase.
struct AxisPhase {
  std::int64_t residue = 0;
  std::int64_t count = 0;  ///< outputs
};

// Beyond these the tables would outgrow the product: see make_generic_conv().
constexpr std::int64_t kMaxPhases = 256;
constexpr std::int64_t kMaxTaps = 4096;

/// Residues that have outputs.
std::int64_t residues(const ConvGeometry& g, std::size_t axis) noexcept {
  return std::min(g.stride[axis], g.out[axis]);
}

AxisPhase axis_phase(const ConvGeometry& g, std::size_t axis, std::int64_t residue) noexcept {
  return {residue, ceil_div(g.out[axis] - residue, g.stride[axis])};
}

/// Displacement of kernel position k for the residue, or nothing when it does not meet it.
std::optional<std::int64_t> displacement(const ConvGeometry& g, std::size_t axis,
                                         std::int64_t residue, std::int64_t k) noexcept {
  const std::int64_t at = residue + g.pad_begin[axis] - k * g.dilation[axis];
  if (at % g.stride[axis] != 0) return std::nullopt;
  return at / g.stride[axis];
}

/// The taps of a phase into `taps` and `sources`; returns how many.
std::int32_t collect_taps(const ConvGeometry& g, const std::array<AxisPhase, 3>& phase,
                          std::span<cpu::Tap> taps, std::span<std::int32_t> sources) {
  std::size_t count = 0;
  std::int32_t source = 0;
  for (std::int64_t z = 0; z < g.kernel[0]; ++z)
    for (std::int64_t y = 0; y < g.kernel[1]; ++y)
      for (std::int64_t x = 0; x < g.kernel[2]; ++x, ++source) {
        const auto dz = displacement(g, 0, phase[0].residue, z);
        const auto dy = displacement(g, 1, phase[1].residue, y);
        const auto dx = displacement(g, 2, phase[2].residue, x);
        if (!dz || !dy || !dx) continue;
        taps[count] = {static_cast<std::int32_t>(*dz), static_cast<std::int32_t>(*dy),
                       static_cast<std::int32_t>(*dx),
                       ((*dz * g.in[1] + *dy) * g.in[2] + *dx) * g.cin};
        sources[count++] = source;
      }
  return static_cast<std::int32_t>(count);
}

void fill_phase(const ConvGeometry& g, const std::array<AxisPhase, 3>& phase, ConvPhase& to) {
  const auto number = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
  cpu::ConvArgs& a = to.args;
  a.k = g.group_cin();
  a.in_d = number(g.in[0]), a.in_h = number(g.in[1]), a.in_w = number(g.in[2]);
  a.grid_d = number(phase[0].count), a.grid_h = number(phase[1].count);
  a.grid_w = number(phase[2].count);
  a.in_x = g.cin, a.in_y = g.in[2] * a.in_x, a.in_z = g.in[1] * a.in_y;
  a.in_batch = g.in[0] * a.in_z;
  const std::int64_t line = g.out[2] * g.cout, plane = g.out[1] * line;
  a.out_x = g.stride[2] * g.cout, a.out_y = g.stride[1] * line, a.out_z = g.stride[0] * plane;
  a.out_batch = g.out[0] * plane;
  to.output = phase[0].residue * plane + phase[1].residue * line + phase[2].residue * g.cout;
}

KernelPtr make_phased(const KernelSpec& spec, const ConvGeometry& g, std::int64_t count) {
  const auto phases = make_array<ConvPhase>(spec.memory, count);
  // Every tap belongs to one residue of each axis at most, so all phases share one table.
  auto taps = make_array<cpu::Tap>(spec.memory, g.taps());
  auto sources = make_array<std::int32_t>(spec.memory, g.taps());
  std::size_t i = 0;
  for (std::int64_t z = 0; z < residues(g, 0); ++z)
    for (std::int64_t y = 0; y < residues(g, 1); ++y)
      for (std::int64_t x = 0; x < residues(g, 2); ++x, ++i) {
        const std::array<AxisPhase, 3> axes{axis_phase(g, 0, z), axis_phase(g, 1, y),
                                            axis_phase(g, 2, x)};
        fill_phase(g, axes, phases[i]);
        const std::int32_t found = collect_taps(g, axes, taps, sources);
        phases[i].args.taps = taps.data();
        phases[i].args.tap_count = found;
        phases[i].source_taps = sources.data();
        taps = taps.subspan(static_cast<std::size_t>(found));
        sources = sources.subspan(static_cast<std::size_t>(found));
      }
  return make_kernel<PackedConv>(spec.memory, spec, g, phases, true, "phases");
}

}  // namespace

KernelPtr make_conv_transpose_cpu(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  std::int64_t phases = 1;
  for (std::size_t axis = 0; axis < 3; ++axis)
    phases = std::min(phases * std::min(residues(g, axis), kMaxPhases + 1), kMaxPhases + 1);
  if (spec.input(0).dtype != DType::float32 || phases > kMaxPhases || g.taps() > kMaxTaps)
    return make_generic_conv(spec, g);
  return make_phased(spec, g, phases);
}

}  // namespace skiff
