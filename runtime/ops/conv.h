#pragma once

#include <array>
#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

/// A convolution or its transpose with its numbers checked. Spatial axes stand right-aligned in
/// (depth, height, width); axes that the tensors lack have extent, kernel and stride 1.
struct ConvGeometry {
  using Axes = std::array<std::int64_t, 3>;
  int spatial = 0;  ///< axes the tensors have, 1 to 3
  std::int64_t batch = 0, cin = 0, cout = 0, groups = 1;
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  Axes pad_begin{}, pad_end{};

  std::int64_t group_cin() const noexcept { return cin / groups; }
  std::int64_t group_cout() const noexcept { return cout / groups; }
  // The tensors' bytes were checked, so these products fit.
  std::int64_t taps() const noexcept { return kernel[0] * kernel[1] * kernel[2]; }
  std::int64_t in_pixels() const noexcept { return in[0] * in[1] * in[2]; }
  std::int64_t out_pixels() const noexcept { return out[0] * out[1] * out[2]; }
};

/// Checks attributes and operands of a conv, conv_transpose or integer_conv node and computes the
/// output's extents. Throws Error{invalid_model}. All extents and windows are below 2^28, so
/// kernels may compute positions in 32 bits.
ConvGeometry read_conv_geometry(const NodeView& node);

/// [N, T..., Cout]
Shape conv_output(const ConvGeometry& geometry);

/// Input rows (axis 1) that `rows` neighbouring output rows need, padding included.
inline std::int64_t rows_needed(const ConvGeometry& g, std::int64_t rows) noexcept {
  return (rows - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1;
}

inline constexpr std::int64_t kMaxWindowExtent = std::int64_t{1} << 28;

}  // namespace skiff
