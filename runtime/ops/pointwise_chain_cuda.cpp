#include "runtime/ops/pointwise_chain_cuda.h"

#include "runtime/cuda/kernels.h"

namespace skiff::cuda {
namespace {

// What tuning chooses from.
constexpr std::string_view kInterpreted = "interpreted", kCompiled = "compiled";

std::array<Shape, PointwiseChain::kMaxInputs> shapes_of(const KernelSpec& spec) {
  std::array<Shape, PointwiseChain::kMaxInputs> shapes;  // scalars where there is none
  for (int i = 0; i < spec.node.attrs<PointwiseChain>().inputs; ++i)
    shapes[static_cast<std::size_t>(i)] = spec.input(i).shape;
  return shapes;
}

}  // namespace

ChainPlan read_chain(const KernelSpec& spec) {
  const TensorInfo& result = spec.output(0);
  const auto& chain = spec.node.attrs<PointwiseChain>();
  ChainPlan plan{.chain = chain,
                 .dtype = chain.computes_in(spec.node),
                 .places = {shapes_of(spec), result.shape},
                 .count = static_cast<unsigned>(narrow(result.elements())),
                 .stored = {},
                 .inputs = spec.node.input_count(),
                 .result = result.dtype};
  dispatch_float(plan.dtype, [](auto) {});
  for (int i = 0; i < plan.inputs; ++i) plan.stored[i] = spec.input(i).dtype;
  return plan;
}

ChainKernel::ChainKernel(const KernelSpec& spec) : plan_(read_chain(spec)) {
  for (int i = 0; i < plan_.chain.inputs; ++i)
    overwrites_[i] = spec.input(i).shape == spec.output(0).shape && plan_.stored[i] == plan_.result;
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
