#include "runtime/cuda/dispatch.h"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {

ConvPlan read_conv(const NodeView& node) {
  const auto& attrs = node.attrs<fb::ConvAttrs>();
  ConvPlan plan;
  plan.geometry = read_conv_geometry(node);
  plan.dtype = node.input(0).dtype;
  plan.stored = node.input(1).dtype;
  plan.has_bias = node.has_input(2);
  plan.has_residual = node.has_input(3);
  plan.transposed = node.op == fb::OpKind::conv_transpose;
  plan.activation = {attrs.activation(), attrs.alpha(), attrs.beta()};
  dispatch_float(plan.dtype, [](auto) {});
  if (plan.stored != plan.dtype && !node.input(1).constant)
    refuse("weights are ", plan.stored, " and no constant");
  return plan;
}

bool fits_mma(const ConvPlan& plan) noexcept {
  const bool narrow = plan.dtype == DType::float16 || plan.dtype == DType::bfloat16;
  return narrow && plan.geometry.groups == 1 && !plan.transposed;
}

}  // namespace skiff::cuda
