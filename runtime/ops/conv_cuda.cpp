#include "runtime/ops/conv_cuda.h"

#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/ops/convert.h"

namespace skiff::cuda {

ConvPlan read_conv(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
  ConvPlan plan;
  plan.geometry = read_conv_geometry(spec.node);
  plan.dtype = spec.input(0).dtype;
  plan.stored = spec.input(1).dtype;
  plan.has_bias = spec.node.has_input(2);
  plan.has_residual = spec.node.has_input(3);
  plan.transposed = spec.node.op == fb::OpKind::conv_transpose;
  plan.activation = {attrs.activation(), attrs.alpha(), attrs.beta()};
  dispatch_float(plan.dtype, [](auto) {});
  if (plan.stored != plan.dtype && !spec.input(1).constant)
    refuse("weights are ", plan.stored, " and no constant");
  return plan;
}

std::size_t read_scratch(DType from, DType to, std::int64_t count) noexcept {
  return from == to ? 0 : static_cast<std::size_t>(count) * size_of(from);
}

void read_weights(Reader& reader, DType from, DType to, std::span<std::byte> out,
                  std::span<std::byte> scratch) {
  if (from == to) return reader.read(out);
  const std::size_t count = out.size() / size_of(to);
  reader.read(scratch.first(count * size_of(from)));
  find_convert({}, from, to)(scratch.data(), out.data(), static_cast<std::int64_t>(count));
}

KernelPtr make_conv(const KernelSpec& spec) {
  const ConvPlan plan = read_conv(spec);
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
  return make_direct_conv(spec, read_conv(spec));
}

}  // namespace skiff::cuda
