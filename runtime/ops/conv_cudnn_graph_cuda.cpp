#include "runtime/ops/conv_cudnn.h"

#include <algorithm>

namespace skiff::cuda {

Shape image(const ConvGeometry& g, std::int64_t n, const ConvGeometry::Axes& axes,
            std::int64_t channels) {
  Shape shape{n};
  for (std::size_t i = g.spatial == 3 ? 0 : 1; i < 3; ++i) shape.push_back(axes[i]);
  shape.push_back(channels);
  return shape;
}

cudnn::Window window_of(const ConvGeometry& g) {
  return {g.spatial == 3 ? 3 : 2, g.pad_begin, g.pad_end, g.stride, g.dilation};
}

namespace {

bool is_relu(const Activation& activation) {
  return activation.function == fb::UnaryFunction::relu;
}

}  // namespace

bool write_conv_graph(const ConvPlan& plan, Fusion fusion, cudnn::OperationGraph& graph,
                      ConvGraph& result) {
  const ConvGeometry& g = plan.geometry;
  const bool activates = plan.activation.function != fb::UnaryFunction::none;
  const bool sums = plan.has_bias || plan.has_residual;
  if (fusion == Fusion::all && activates && !is_relu(plan.activation)) return false;
  if (fusion == Fusion::sum && (!activates || !sums)) return false;

  const Shape out = image(g, g.batch, g.out, g.cout);
  const Shape row = image(g, 1, {1, 1, 1}, g.cout);
  const bool adds_residual = fusion != Fusion::none && plan.has_residual;
  const bool adds_bias = fusion != Fusion::none && plan.has_bias;
  const bool activates_here = fusion == Fusion::all && activates;
  int left = 1 + (adds_residual ? 1 : 0) + (adds_bias ? 1 : 0) + (activates_here ? 1 : 0);
  // Only the last operation's result leaves the engine; what is between is computed in float.
  const auto next = [&] {
    const bool last = --left == 0;
    return graph.tensor(out, last ? plan.dtype : DType::float32, !last);
  };
  result.fusion = fusion;
  result.x = graph.tensor(image(g, g.batch, g.in, g.cin), plan.dtype);
  result.w = graph.tensor(image(g, g.cout, g.kernel, g.group_cin()), plan.dtype);
  cudnn::TensorId value = next();
  graph.convolution(result.x, result.w, value, window_of(g));
  const auto add = [&](cudnn::TensorId& operand, const Shape& shape) {
    operand = graph.tensor(shape, plan.dtype);
    const cudnn::TensorId sum = next();
    graph.pointwise(CUDNN_POINTWISE_ADD, value, operand, sum);
    value = sum;
  };
  if (adds_residual) add(result.residual, out);
  if (adds_bias) add(result.bias, row);
  if (activates_here) {
    const cudnn::TensorId activated = next();
    graph.pointwise(CUDNN_POINTWISE_RELU_FWD, value, activated);
    value = activated;
  }
  result.y = value;
  return true;
}

namespace {

constexpr Fusion kFusions[] = {Fusion::all, Fusion::sum, Fusion::none};

/// What the names of a fusion's engines begin with.
constexpr std::string_view prefix_of(Fusion fusion) noexcept {
  return fusion == Fusion::all   ? "cudnn.all."
         : fusion == Fusion::sum ? "cudnn.sum."
                                 : "cudnn.none.";
}

cudnn::Policy policy_for(const ConvPlan& plan) {
  const bool exact = plan.dtype == DType::float32 && !plan.tf32;
  return {.tensor_cores = exact ? cudnn::TensorCores::never : cudnn::TensorCores::allowed};
}

/// The first of `fusions` that has an engine which the policy allows.
std::optional<ConvEngine> find_engine(const ConvPlan& plan, const cudnn::Target& target,
                                      std::span<const Fusion> fusions,
                                      const cudnn::Policy& policy) {
  for (const Fusion fusion : fusions) {
    cudnn::OperationGraph graph(target);
    ConvGraph written;
    if (!write_conv_graph(plan, fusion, graph, written)) continue;
    std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, policy);
    if (!plans.empty()) return ConvEngine{written, std::move(plans.front())};
  }
  return std::nullopt;
}

/// The engine that a choice names.
std::optional<ConvEngine> find_named(const ConvPlan& plan, const cudnn::Target& target,
                                     cudnn::Policy policy, std::string_view choice) {
  for (const Fusion& fusion : kFusions) {
    const std::string_view prefix = prefix_of(fusion);
    if (!choice.starts_with(prefix)) continue;
    policy.engine = choice.substr(prefix.size());
    return find_engine(plan, target, {&fusion, 1}, policy);
  }
  return std::nullopt;
}

}  // namespace

std::optional<ConvEngine> find_conv_engine(const ConvPlan& plan, const cudnn::Target& target,
                                           std::uint64_t most_workspace, std::string_view choice) {
  constexpr std::int64_t kChannels = 8;
  const ConvGeometry& g = plan.geometry;
  cudnn::Policy policy = policy_for(plan);
  policy.most_workspace = most_workspace;
  if (!choice.empty()) return find_named(plan, target, policy, choice);
  if (fits_mma(plan)) {
    if (g.cin % kChannels != 0 || g.cout % kChannels != 0) return std::nullopt;
    policy.precompiled = true;
    policy.tensor_cores = cudnn::TensorCores::required;
    return find_engine(plan, target, {kFusions, 1}, policy);
  }
  if (plan.tf32) {
    cudnn::Policy on_tensor_cores = policy;
    on_tensor_cores.tensor_cores = cudnn::TensorCores::required;
    if (auto engine = find_engine(plan, target, kFusions, on_tensor_cores)) return engine;
  }
  return find_engine(plan, target, kFusions, policy);
}

std::vector<std::string> conv_engine_names(const ConvPlan& plan, const cudnn::Target& target,
                                           int most) {
  std::vector<std::string> names;
  for (const Fusion fusion : kFusions) {
    cudnn::OperationGraph graph(target);
    ConvGraph written;
    if (!write_conv_graph(plan, fusion, graph, written)) continue;
    for (const std::string& engine :
         cudnn::list_engines(graph, policy_for(plan), static_cast<std::size_t>(most)))
      names.push_back(std::string(prefix_of(fusion)) + engine);
  }
  return names;
}

}  // namespace skiff::cuda
