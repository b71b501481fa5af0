#include "runtime/ops/conv_cudnn.h"

namespace skiff::cuda {
namespace {

/// [N, spatial..., C] with at least two spatial axes, as cuDNN wants them.
Shape image(const ConvGeometry& g, std::int64_t n, const ConvGeometry::Axes& axes,
            std::int64_t channels) {
  Shape shape{n};
  for (std::size_t i = g.spatial == 3 ? 0 : 1; i < 3; ++i) shape.push_back(axes[i]);
  shape.push_back(channels);
  return shape;
}

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
  graph.convolution(result.x, result.w, value,
                    {g.spatial == 3 ? 3 : 2, g.pad_begin, g.pad_end, g.stride, g.dilation});
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

std::optional<ConvEngine> find_conv_engine(const ConvPlan& plan, const cudnn::Target& target) {
  const cudnn::Policy policy{.tensor_cores = plan.dtype != DType::float32};
  for (const Fusion fusion : {Fusion::all, Fusion::sum, Fusion::none}) {
    cudnn::OperationGraph graph(target);
    ConvGraph written;
    if (!write_conv_graph(plan, fusion, graph, written)) continue;
    std::vector<cudnn::Plan> plans = cudnn::find_plans(graph, policy);
    if (!plans.empty()) return ConvEngine{written, std::move(plans.front())};
  }
  return std::nullopt;
}

}  // namespace skiff::cuda
