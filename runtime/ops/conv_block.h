#pragma once

#include <array>
#include <span>

#include "runtime/ops/conv_rows.h"
#include "runtime/ops/parts.h"

namespace skiff {

/// Convolutions computed as one step, each of the result of the one before: the attributes of a
/// node that a session makes of several (see graph/fuse_blocks.h), never stored in a file. Forms:
/// expand-depthwise-project, and either end alone with the depthwise one. Where the first reads
/// pixels as they are stored, what becomes of them (ops/pixels.h) is a part before it.
struct ConvBlock {
  static constexpr int kMaxParts = 4;
  std::array<Part, kMaxParts> parts{};
  int count = 0;
  int first = 0;      ///< which part is the first convolution: 1 behind pixels
  int depthwise = 0;  ///< which part

  std::span<const Part> used() const noexcept {
    return std::span(parts).first(static_cast<std::size_t>(count));
  }
};

/// The row of a block in place of the op table's.
const OpDef& conv_block_op() noexcept;

/// Rows of the result that a block computes at a time.
std::int64_t block_strip_rows(bool expands, const ConvGeometry& depthwise, bool projects) noexcept;

/// What writing a tensor to memory and reading it again costs, in multiply-adds of a product.
double traffic_cost(std::int64_t bytes) noexcept;

KernelPtr make_conv_block_cpu(const KernelSpec& spec);

}  // namespace skiff
