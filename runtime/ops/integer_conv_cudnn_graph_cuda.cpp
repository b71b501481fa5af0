#include <algorithm>
#include <limits>

#include "runtime/ops/conv_cudnn.h"
#include "runtime/ops/integer_conv_cudnn.h"

namespace skiff::cuda {
namespace {

constexpr std::string_view kPrefix = "cudnn.";

bool pads(const ConvGeometry& g) {
  const auto any = [](const ConvGeometry::Axes& axes) {
    return std::ranges::any_of(axes, [](std::int64_t pad) { return pad != 0; });
  };
  return any(g.pad_begin) || any(g.pad_end);
}

bool has_graph(const IntegerConvPlan& plan) {
  constexpr std::int64_t kChannels = 4;
  using F = fb::UnaryFunction;
  const ConvGeometry& g = plan.geometry;
  const F f = plan.activation.function;
  return plan.from == DType::int8 && g.cin % kChannels == 0 && g.cout % kChannels == 0 &&
         plan.outputs() > 0 && (plan.scales.x.zero == 0 || !pads(g)) &&
         plan.has_bias == plan.constant_bias && (f == F::none || f == F::relu || f == F::clip);
}

cudnn::Policy policy_for(std::uint64_t most_workspace, std::string_view engine) {
  return {.tensor_cores = cudnn::TensorCores::required,
          .most_workspace = most_workspace,
          .engine = engine};
}

}  // namespace

IntegerConvEnds ends_of(const IntegerConvPlan& plan) noexcept {
  const IntegerRounding& r = plan.rounding;
  const auto zero = static_cast<float>(r.zero);
  const bool quantized = plan.scales.quantized;
  const float infinity = std::numeric_limits<float>::infinity();
  const float least = !quantized ? -infinity : plan.to == DType::int8 ? -128.0f : 0.0f;
  const float most = quantized ? least + 255 : infinity;
  return {.starts = plan.scales.x.zero != 0 || r.zero != 0,
          .bias = plan.has_bias,
          .low = r.low + zero > least,
          .high = r.high + zero < most,
          .bias_factor = r.bias_factor,
          .lowest = r.low + zero,
          .highest = r.high + zero};
}

bool write_integer_conv_graph(const IntegerConvPlan& plan, cudnn::OperationGraph& graph,
                              IntegerConvGraph& result) {
  if (!has_graph(plan)) return false;
  struct Step {
    cudnnPointwiseMode_t mode;
    cudnn::TensorId* operand;
    std::int64_t channels;
    bool present = true;
  };
  const ConvGeometry& g = plan.geometry;
  const IntegerConvEnds ends = ends_of(plan);
  const Step steps[] = {{CUDNN_POINTWISE_MUL, &result.factors, g.cout},
                        {CUDNN_POINTWISE_ADD, &result.starts, g.cout, ends.starts},
                        {CUDNN_POINTWISE_ADD, &result.bias, g.cout, ends.bias},
                        {CUDNN_POINTWISE_MAX, &result.low, 1, ends.low},
                        {CUDNN_POINTWISE_MIN, &result.high, 1, ends.high}};
  auto left = std::ranges::count(steps, true, &Step::present);
  const Shape out = image(g, g.batch, g.out, g.cout);
  result.x = graph.tensor(image(g, g.batch, g.in, g.cin), plan.from);
  result.w = graph.tensor(image(g, g.cout, g.kernel, g.group_cin()), DType::int8);
  result.y = graph.tensor(out, DType::int32, true);
  graph.convolution(result.x, result.w, result.y, window_of(g), DType::int32);
  for (const Step& step : steps) {
    if (!step.present) continue;
    const bool last = --left == 0;
    const cudnn::TensorId value = graph.tensor(out, last ? plan.to : DType::float32, !last);
    *step.operand = graph.tensor(image(g, 1, {1, 1, 1}, step.channels), DType::float32);
    graph.pointwise(step.mode, result.y, *step.operand, value);
    result.y = value;
  }
  return true;
}

std::optional<IntegerConvEngine> find_integer_conv_engine(const IntegerConvPlan& plan,
                                                          const cudnn::Target& target,
                                                          std::uint64_t most_workspace,
                                                          std::string_view choice) {
  if (!choice.empty() && !choice.starts_with(kPrefix)) return std::nullopt;
  cudnn::OperationGraph graph(target);
  IntegerConvGraph written;
  if (!write_integer_conv_graph(plan, graph, written)) return std::nullopt;
  const std::string_view engine = choice.empty() ? choice : choice.substr(kPrefix.size());
  std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, policy_for(most_workspace, engine));
  if (plans.empty()) return std::nullopt;
  return IntegerConvEngine{written, std::move(plans.front())};
}

std::vector<std::string> integer_conv_engine_names(const IntegerConvPlan& plan,
                                                   const cudnn::Target& target, int most) {
  cudnn::OperationGraph graph(target);
  IntegerConvGraph written;
  if (!write_integer_conv_graph(plan, graph, written)) return {};
  std::vector<std::string> names =
      cudnn::list_engines(graph, policy_for(UINT64_MAX, {}), static_cast<std::size_t>(most));
  for (std::string& name : names) name.insert(0, kPrefix);
  return names;
}

}  // namespace skiff::cuda
