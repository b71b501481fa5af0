#pragma once

#include <cstdint>

#include "runtime/cpu/kernel_table.h"

namespace skiff {

/// The windows of a ConvGeometry or PoolGeometry of at most two spatial axes, over all images.
template <typename Geometry>
cpu::WindowGrid read_window_grid(const Geometry& g, std::int64_t channels) noexcept {
  const auto number = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
  cpu::WindowGrid a;
  a.channels = a.in_pixel = a.out_pixel = channels;
  a.in_h = number(g.in[1]), a.in_w = number(g.in[2]);
  a.out_h = number(g.out[1]), a.out_w = number(g.out[2]);
  a.kernel_h = number(g.kernel[1]), a.kernel_w = number(g.kernel[2]);
  a.stride_h = number(g.stride[1]), a.stride_w = number(g.stride[2]);
  a.dilation_h = number(g.dilation[1]), a.dilation_w = number(g.dilation[2]);
  a.pad_top = number(g.pad_begin[1]), a.pad_left = number(g.pad_begin[2]);
  a.pad_bottom = number(g.pad_end[1]), a.pad_right = number(g.pad_end[2]);
  return a;
}

}  // namespace skiff
