#include "converters/passes/tensor_scale.h"

namespace skiff::passes {

std::optional<TensorScale> scale_of(const Rewriter& rewriter, const ir::Node& node,
                                    ValueId floats) {
  const bool has_zero = node.inputs.size() > 2 && node.inputs[2] != kAbsent;
  const auto scale = uniform(rewriter.graph, node.inputs[1]);
  const auto zero = has_zero ? uniform(rewriter.graph, node.inputs[2]) : 0.0;
  if (!scale || !(*scale > 0) || !zero) return std::nullopt;
  if (rewriter.graph.value(floats).dtype != DType::float32) return std::nullopt;
  return TensorScale{*scale, *zero};
}

}  // namespace skiff::passes
