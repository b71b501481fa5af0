#pragma once

#include <array>
#include <string_view>

#include "runtime/ops/conv_rows.h"

namespace skiff {

/// Convolutions computed as one step, each of the result of the one before: the attributes of a
/// node that a session makes of several (see graph/fuse_blocks.h), never stored in a file. Forms:
/// expand-depthwise-project, and either end alone with the depthwise one.
struct ConvBlock {
  static constexpr int kMaxParts = 3;
  static constexpr int kPrevious = -2;  ///< operand: the result of the part before
  struct Part {
    const void* attributes = nullptr;  ///< fb::ConvAttrs
    std::string_view name;             ///< of the node it was
    std::array<int, 4> operands{};     ///< indices of the block's inputs; -1: absent
  };
  std::array<Part, kMaxParts> parts{};
  int count = 0;
  int depthwise = 0;  ///< which part
};

/// The parts of a block as rules and kernels see them. Points into itself.
class BlockView {
 public:
  /// Throws what a convolution's rule throws.
  explicit BlockView(const NodeView& block);
  BlockView(const BlockView&) = delete;
  BlockView& operator=(const BlockView&) = delete;

  const ConvBlock& block() const noexcept { return block_; }
  const NodeView& part(int i) const noexcept { return views_[static_cast<std::size_t>(i)]; }
  const TensorInfo& result(int i) const noexcept { return results_[static_cast<std::size_t>(i)]; }

 private:
  const ConvBlock& block_;
  std::array<std::array<const TensorInfo*, 4>, ConvBlock::kMaxParts> operands_{};
  std::array<TensorInfo, ConvBlock::kMaxParts> results_;
  std::array<NodeView, ConvBlock::kMaxParts> views_;
};

/// The row of a block in place of the op table's.
const OpDef& conv_block_op() noexcept;

/// Rows of the result that a block computes at a time.
std::int64_t block_strip_rows(bool expands, const ConvGeometry& depthwise, bool projects) noexcept;
/// Input rows that `rows` neighbouring output rows need, padding included.
std::int64_t rows_needed(const ConvGeometry& geometry, std::int64_t rows) noexcept;

KernelPtr make_conv_block_cpu(const KernelSpec& spec);

}  // namespace skiff
