#include "runtime/ops/conv_block.h"

#include "runtime/ops/made.h"

namespace skiff {

namespace {

void infer_conv_block(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& block = node.attrs<ConvBlock>();
  const TensorInfo result = PartsView(node, block.used()).result(block.count - 1);
  outputs[0].dtype = result.dtype;
  outputs[0].shape = result.shape;
}

}  // namespace

const OpDef& conv_block_op() noexcept {
  static constexpr OpDef kRow{.op = made::conv_block,
                              .name = "conv_block",
                              .attrs = fb::Attrs::NONE,
                              .min_inputs = 2,
                              .max_inputs = 4 * ConvBlock::kMaxParts,
                              .min_outputs = 1,
                              .max_outputs = 1,
                              .infer = infer_conv_block,
                              .make_cpu = make_conv_block_cpu};
  return kRow;
}

}  // namespace skiff
