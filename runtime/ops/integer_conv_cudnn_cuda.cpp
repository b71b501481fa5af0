#include <cstring>

#include "runtime/cuda/dispatch.h"
#include "runtime/ops/integer_conv_cudnn.h"

namespace skiff::cuda {
namespace {

/// The weights' form goes on with starts [Cout] float32 | low | high, each at a whole chunk. The
/// bias is packed in steps of the result.
class CudnnIntegerConv final : public IntegerConvKernel {
 public:
  CudnnIntegerConv(const IntegerConvPlan& plan, IntegerConvEngine engine)
      : IntegerConvKernel(plan, {plan.geometry.group_cin(), plan.depth()}),
        engine_(std::move(engine)),
        ends_(ends_of(plan)),
        name_(message("cuDNN ", engine_.plan.engine, ", integers")) {}

  std::size_t workspace_bytes() const noexcept override { return engine_.plan.workspace; }
  const char* algorithm() const noexcept override { return name_.c_str(); }
  bool tensor_cores() const noexcept override { return engine_.plan.tensor_cores; }

  skiff_constant_form constant_form(int input) const noexcept override {
    if (input == 2 && plan().has_bias) return {row_bytes(), 0, 0};
    skiff_constant_form form = IntegerConvKernel::constant_form(input);
    if (input == 1) form.bytes = high_at() + kChunk;
    form.key = 0;  // its bounds are this layer's
    return form;
  }

  void pack(int input, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    if (input == 2) return pack_bias(reader, packed);
    IntegerConvKernel::pack(input, reader, packed, scratch);
    for (std::int64_t channel = 0; channel < plan().geometry.cout; ++channel) {
      const std::size_t place = static_cast<std::size_t>(channel) * sizeof(float);
      int sum = 0;
      float factor = 0;
      std::memcpy(&sum, packed.data() + starts_at() + place, sizeof sum);
      std::memcpy(&factor, packed.data() + factors_at() + place, sizeof factor);
      put(packed, float_starts_at() + place,
          factor * static_cast<float>(sum) + static_cast<float>(plan().rounding.zero));
    }
    put(packed, low_at(), ends_.lowest);
    put(packed, high_at(), ends_.highest);
  }

  void enqueue(const LaunchArgs& args) override {
    const IntegerConvGraph& graph = engine_.graph;
    const auto* const packed = args.input<std::byte>(1);
    std::vector<std::pair<cudnn::TensorId, const void*>> pointers = {
        {graph.x, args.input<void>(0)},
        {graph.w, packed},
        {graph.factors, packed + factors_at()},
        {graph.y, args.output<void>(0)}};
    const auto bind = [&](cudnn::TensorId tensor, const void* to) {
      if (tensor.id != 0) pointers.push_back({tensor, to});
    };
    bind(graph.starts, packed + float_starts_at());
    if (plan().has_bias) bind(graph.bias, args.input<void>(2));
    bind(graph.low, packed + low_at());
    bind(graph.high, packed + high_at());
    engine_.plan.execute(args.device.cudnn(), pointers, args.workspace());
  }

 private:
  static void put(std::span<std::byte> packed, std::size_t at, float value) {
    std::memcpy(packed.data() + at, &value, sizeof value);
  }
  /// Of a float32 an output channel; whole chunks, as channels are.
  std::size_t row_bytes() const noexcept {
    return static_cast<std::size_t>(plan().geometry.cout) * sizeof(float);
  }
  std::size_t float_starts_at() const noexcept { return packed_bytes(); }
  std::size_t low_at() const noexcept { return float_starts_at() + row_bytes(); }
  std::size_t high_at() const noexcept { return low_at() + kChunk; }

  void pack_bias(Reader& reader, std::span<std::byte> packed) const {
    reader.read(packed);
    for (std::size_t at = 0; at < packed.size(); at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, packed.data() + at, sizeof value);
      put(packed, at, value * ends_.bias_factor);
    }
  }

  IntegerConvEngine engine_;
  IntegerConvEnds ends_;
  std::string name_;
};

}  // namespace

KernelPtr make_cudnn_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan,
                                  std::string_view choice) {
  auto engine = find_integer_conv_engine(plan, cudnn::HandleTarget(spec.device.cudnn()),
                                         spec.most_workspace, choice);
  if (!engine) refuse("cuDNN has no such engine for this convolution of integers");
  return make_kernel<CudnnIntegerConv>(spec.memory, plan, std::move(*engine));
}

std::vector<std::string> list_cudnn_integer_conv(const KernelSpec& spec,
                                                 const IntegerConvPlan& plan, int most) {
  return integer_conv_engine_names(plan, cudnn::HandleTarget(spec.device.cudnn()), most);
}

}  // namespace skiff::cuda
