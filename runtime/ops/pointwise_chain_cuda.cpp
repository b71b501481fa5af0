#include "runtime/ops/pointwise_chain_cuda.h"

#include "runtime/cuda/kernels.h"

namespace skiff::cuda {
namespace {

// What tuning chooses from.
constexpr std::string_view kInterpreted = "interpreted", kCompiled = "compiled";

std::array<Shape, PointwiseChain::kMaxInputs> shapes_of(const KernelSpec& spec) {
  std::array<Shape, PointwiseChain::kMaxInputs> shapes;  // scalars where there is none
  for (int i = 0; i < spec.node.input_count(); ++i)
    shapes[static_cast<std::size_t>(i)] = spec.input(i).shape;
  return shapes;
}

}  // namespace

ChainPlan read_chain(const KernelSpec& spec) {
  const TensorInfo& result = spec.output(0);
  const auto& chain = spec.node.attrs<PointwiseChain>();
  dispatch_float(result.dtype, [](auto) {});
  if (chain.conversions() > 0) refuse("operands are integers");
  return {.chain = chain,
          .dtype = result.dtype,
          .places = {shapes_of(spec), result.shape},
          .count = static_cast<unsigned>(narrow(result.elements()))};
}

ChainKernel::ChainKernel(const KernelSpec& spec) : plan_(read_chain(spec)) {
  for (int i = 0; i < plan_.chain.inputs; ++i)
    overwrites_[i] = spec.input(i).shape == spec.output(0).shape;
}

Choices list_pointwise_chain_choices(const KernelSpec& spec, int /*most*/) {
  const std::string source = chain_source(read_chain(spec));
  Choices choices{source, {}};
  if (spec.device.codes().has(source))
    for (const std::string_view name : {kInterpreted, kCompiled}) choices.names.emplace_back(name);
  return choices;
}

KernelPtr make_pointwise_chain(const KernelSpec& spec) {
  if (spec.choice != kCompiled) return make_interpreted_chain(spec);
  try {
    return make_compiled_chain(spec);
  } catch (const Error&) {
    if (spec.exact || context_lost()) throw;
  }
  return make_interpreted_chain(spec);
}

}  // namespace skiff::cuda
