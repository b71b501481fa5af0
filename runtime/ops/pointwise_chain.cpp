#include "runtime/ops/pointwise_chain.h"

#include "runtime/ops/attributes.h"
#include "runtime/ops/made.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

bool is_float(DType dtype) noexcept {
  return dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16;
}

void infer_pointwise_chain(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& chain = node.attrs<PointwiseChain>();
  Shape shape;
  for (const TensorInfo* input : chain.operands(node)) shape = broadcast(node, shape, input->shape);
  outputs[0].dtype = chain.result.scale != 0 ? chain.result_dtype : chain.computes_in(node);
  outputs[0].shape = shape;
}

}  // namespace

bool read_chain_step(const NodeView& node, PointwiseChain::Step& step) noexcept {
  const DType dtype = node.input(0).dtype;
  if (!is_float(dtype)) return false;
  if (node.op == fb::OpKind::unary) {
    const auto& attrs = node.attrs<fb::UnaryAttrs>();
    step = {0, static_cast<std::int32_t>(attrs.function()), 0, attrs.alpha(), attrs.beta(), 0, 0};
    return attrs.function() != fb::UnaryFunction::none &&
           attrs.function() <= fb::UnaryFunction::cos;
  }
  if (node.op != fb::OpKind::binary || node.input(1).dtype != dtype) return false;
  const auto& attrs = node.attrs<fb::BinaryAttrs>();
  step = {1,
          static_cast<std::int32_t>(attrs.function()),
          static_cast<std::int32_t>(attrs.activation()),
          attrs.alpha(),
          attrs.beta(),
          0,
          0};
  return attrs.function() < fb::BinaryFunction::equal;
}

const OpDef& pointwise_chain_op() noexcept {
  static constexpr OpDef kRow{.op = made::pointwise_chain,
                              .name = "pointwise_chain",
                              .attrs = fb::Attrs::NONE,
                              .min_inputs = 1,
                              .max_inputs = PointwiseChain::kMostInputs,
                              .min_outputs = 1,
                              .max_outputs = 1,
                              .infer = infer_pointwise_chain,
                              .make_cpu = make_pointwise_chain_cpu};
  return kRow;
}

}  // namespace skiff
