#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.h"
#include "runtime/ops/conv_cudnn.h"

namespace skiff::cuda {
namespace {

class CudnnConv final : public StoredWeightsConv {
 public:
  CudnnConv(const ConvPlan& plan, ConvEngine engine)
      : StoredWeightsConv(plan),
        engine_(std::move(engine)),
        name_(message("cuDNN ", engine_.plan.engine,
                      engine_.graph.fusion == Fusion::all ? ", fused" : "")) {}

  std::size_t workspace_bytes() const noexcept override { return engine_.plan.workspace; }
  const char* algorithm() const noexcept override { return name_.c_str(); }
  bool tensor_cores() const noexcept override { return engine_.plan.tensor_cores; }

  void enqueue(const LaunchArgs& args) override {
    const ConvGraph& graph = engine_.graph;
    const void* bias = plan().has_bias ? args.input<void>(2) : nullptr;
    const void* residual = plan().has_residual ? args.input<void>(3) : nullptr;
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
    const bool activates = engine_.graph.fusion != Fusion::all &&
                           plan().activation.function != fb::UnaryFunction::none;
    if (bias == nullptr && residual == nullptr && !activates) return;
    const ConvGeometry& g = plan().geometry;
    enqueue_epilogue(args, plan().dtype, g.batch * g.out_pixels(), g.cout, bias, residual,
                     activates ? plan().activation : Activation{}, y);
  }

  ConvEngine engine_;
  std::string name_;
};

}  // namespace

KernelPtr make_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan, std::string_view choice) {
  auto engine =
      find_conv_engine(plan, cudnn::HandleTarget(spec.device.cudnn()), spec.most_workspace, choice);
  if (!engine) refuse("cuDNN has no engine for this convolution");
  return make_kernel<CudnnConv>(spec.memory, plan, std::move(*engine));
}

std::vector<std::string> list_cudnn_conv(const KernelSpec& spec, const ConvPlan& plan, int most) {
  return conv_engine_names(plan, cudnn::HandleTarget(spec.device.cudnn()), most);
}

}  // namespace skiff::cuda
