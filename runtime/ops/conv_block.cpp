#include "runtime/ops/conv_block.h"

#include "runtime/ops/ops.h"

namespace skiff {

BlockView::BlockView(const NodeView& block) : block_(block.attrs<ConvBlock>()) {
  for (std::size_t p = 0; p < static_cast<std::size_t>(block_.count); ++p) {
    const ConvBlock::Part& part = block_.parts[p];
    for (std::size_t i = 0; i < part.operands.size(); ++i) {
      const int operand = part.operands[i];
      operands_[p][i] = operand == ConvBlock::kPrevious ? &results_[p - 1]
                        : operand < 0                   ? nullptr
                                      : block.inputs[static_cast<std::size_t>(operand)];
    }
    views_[p] = {.op = fb::OpKind::conv,
                 .version = block.version,
                 .attributes = part.attributes,
                 .inputs = operands_[p],
                 .name = part.name,
                 .dims = block.dims};
    infer_conv(views_[p], {&results_[p], 1});
  }
}

namespace {

void infer_conv_block(const NodeView& node, std::span<TensorInfo> outputs) {
  const BlockView view(node);
  const TensorInfo& result = view.result(view.block().count - 1);
  outputs[0].dtype = result.dtype;
  outputs[0].shape = result.shape;
}

}  // namespace

const OpDef& conv_block_op() noexcept {
  static constexpr OpDef kRow{.op = fb::OpKind::none,
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
