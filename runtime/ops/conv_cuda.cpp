#include "runtime/ops/conv_cuda.h"

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"

namespace skiff::cuda {

KernelPtr make_conv(const KernelSpec& spec) {
  const ConvPlan plan = read_conv(spec.node);
  const ConvGeometry& g = plan.geometry;
  const bool depthwise = g.groups == g.cin && g.groups == g.cout;
  if (depthwise && spec.input(1).constant) return make_depthwise_conv(spec, plan);
  if (plan.outputs() == 0) return make_direct_conv(spec, plan);
  try {
    return make_cudnn_conv(spec, plan);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;
    return make_direct_conv(spec, plan);
  }
}

KernelPtr make_conv_transpose(const KernelSpec& spec) {
  return make_direct_conv(spec, read_conv(spec.node));
}

}  // namespace skiff::cuda
