#include "converters/passes/tensor_scale.h"

namespace skiff::passes {

std::optional<TensorScale> scale_of(const Rewriter& rewriter, const ir::Node& node,
                                    ValueId floats) {
  const ValueId zero_point = operand(node, 2);
  const auto scale = uniform(rewriter.graph, node.inputs[1]);
  const auto zero = zero_point != kAbsent ? uniform(rewriter.graph, zero_point) : 0.0;
  if (!scale || !(*scale > 0) || !zero) return std::nullopt;
  if (rewriter.graph.value(floats).dtype != DType::float32) return std::nullopt;
  return TensorScale{*scale, *zero};
}

}  // namespace skiff::passes
