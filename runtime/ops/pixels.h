#pragma once

#include <array>

#include "runtime/ops/conv.h"
#include "runtime/ops/parts.h"

namespace skiff {

/// How 8-bit pixels become the numbers that a convolution reads: a cast and what follows it channel
/// by channel. Attributes of a part (ops/parts.h) whose operands are the uint8 image [N, S..., C]
/// and behind it one a step: a number or one a channel, of the result's type.
struct Pixels {
  static constexpr int kMaxSteps = 3;
  using Operands = std::array<const void*, kMaxSteps>;  ///< of the steps; constants
  std::array<fb::BinaryFunction, kMaxSteps> steps{};    ///< x = step(x, operand): is_pixel_step()
  int count = 0;
  DType to = DType::none;  ///< of the result, which has the image's shape
};

/// add, sub, mul and div.
inline constexpr bool is_pixel_step(fb::BinaryFunction function) noexcept {
  return function <= fb::BinaryFunction::div;
}

/// The part's row in place of the op table's.
const OpDef& pixels_op() noexcept;

/// A convolution that reads pixels as they are stored: the attributes of a node that a session
/// makes of several (see graph/fuse_pixels.h), never stored in a file.
struct PixelConv {
  std::array<Part, 2> parts{};  ///< pixels, conv
};

/// Whether the kernels of every device take a convolution, by its largest shapes, whose input is
/// made of pixels.
bool fits_pixel_conv(const ConvGeometry& geometry) noexcept;

/// The row in place of the op table's.
const OpDef& pixel_conv_op() noexcept;

std::unique_ptr<Kernel, KernelDeleter> make_pixel_conv_cpu(const KernelSpec& spec);

}  // namespace skiff
