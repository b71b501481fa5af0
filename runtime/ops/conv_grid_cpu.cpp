#include <algorithm>

#include "runtime/ops/conv_packed.h"

namespace skiff {
namespace {

constexpr std::int32_t narrow32(std::int64_t value) noexcept {
  return static_cast<std::int32_t>(value);
}

bool all_are(const ConvGeometry::Axes& axes, std::int64_t value) noexcept {
  return std::all_of(axes.begin(), axes.end(), [&](std::int64_t v) { return v == value; });
}

}  // namespace

bool is_padded(const ConvGeometry& g) noexcept {
  return !all_are(g.pad_begin, 0) || !all_are(g.pad_end, 0);
}

bool is_pointwise(const ConvGeometry& g) noexcept {
  return g.taps() == 1 && all_are(g.stride, 1) && !is_padded(g);
}

cpu::RowGrid window_grid(const ConvGeometry& g, std::pmr::memory_resource& memory) {
  const auto taps = make_array<cpu::Tap>(memory, g.taps());
  std::size_t t = 0;
  for (std::int64_t z = 0; z < g.kernel[0]; ++z)
    for (std::int64_t y = 0; y < g.kernel[1]; ++y)
      for (std::int64_t x = 0; x < g.kernel[2]; ++x, ++t) {
        cpu::Tap& tap = taps[t];
        tap.z = narrow32(z * g.dilation[0] - g.pad_begin[0]);
        tap.y = narrow32(y * g.dilation[1] - g.pad_begin[1]);
        tap.x = narrow32(x * g.dilation[2] - g.pad_begin[2]);
        tap.offset = ((tap.z * g.in[1] + tap.y) * g.in[2] + tap.x) * g.cin;
      }
  cpu::RowGrid a;
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
  a.linear = is_pointwise(g);
  return a;
}

}  // namespace skiff
