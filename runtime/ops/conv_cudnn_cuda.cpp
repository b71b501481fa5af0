#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.h"
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

namespace {

class CudnnConv final : public Kernel {
 public:
  CudnnConv(const ConvPlan& plan, ConvEngine engine) : plan_(plan), engine_(std::move(engine)) {}

  std::size_t workspace_bytes() const noexcept override { return engine_.plan.workspace; }
  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != 1 || plan_.stored == plan_.dtype) return {};
    return {static_cast<std::uint64_t>(plan_.weights()) * size_of(plan_.dtype),
            read_scratch(plan_.stored, plan_.dtype, plan_.weights()), 0};
  }
  void pack(int, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    read_weights(reader, plan_.stored, plan_.dtype, packed, scratch);
  }

  std::int64_t flops() const noexcept override {
    return 2 * plan_.outputs() * plan_.geometry.taps() * plan_.geometry.group_cin();
  }
  const char* algorithm() const noexcept override {
    return engine_.graph.fusion == Fusion::all ? "cuDNN, fused" : "cuDNN";
  }
  bool tensor_cores() const noexcept override { return engine_.plan.tensor_cores; }

  void enqueue(const LaunchArgs& args) override {
    const ConvGraph& graph = engine_.graph;
    const void* bias = plan_.has_bias ? args.input<void>(2) : nullptr;
    const void* residual = plan_.has_residual ? args.input<void>(3) : nullptr;
    void* y = args.output<void>(0);
    std::vector<std::pair<cudnn::TensorId, const void*>> pointers = {
        {graph.x, args.input<void>(0)}, {graph.w, args.input<void>(1)}, {graph.y, y}};
    if (graph.bias.id != 0) pointers.push_back({graph.bias, bias});
    if (graph.residual.id != 0) pointers.push_back({graph.residual, residual});
    engine_.plan.execute(args.device.cudnn(), pointers, args.workspace());
    finish(args, graph.bias.id != 0 ? nullptr : bias, graph.residual.id != 0 ? nullptr : residual,
           y);
  }

 private:
  /// What cuDNN left undone.
  void finish(const LaunchArgs& args, const void* bias, const void* residual, void* y) const {
    const bool activates =
        engine_.graph.fusion != Fusion::all && plan_.activation.function != fb::UnaryFunction::none;
    if (bias == nullptr && residual == nullptr && !activates) return;
    const ConvGeometry& g = plan_.geometry;
    enqueue_epilogue(args, plan_.dtype, g.batch * g.out_pixels(), g.cout, bias, residual,
                     activates ? plan_.activation : Activation{}, y);
  }

  ConvPlan plan_;
  ConvEngine engine_;
};

}  // namespace

KernelPtr make_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan) {
  auto engine = find_conv_engine(plan, cudnn::HandleTarget(spec.device.cudnn()));
  if (!engine) refuse("cuDNN has no engine for this convolution");
  return make_kernel<CudnnConv>(spec.memory, plan, std::move(*engine));
}

}  // namespace skiff::cuda
