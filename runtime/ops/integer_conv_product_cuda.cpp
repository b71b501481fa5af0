#include "runtime/cuda/cublaslt/matmul.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/ops/conv_cuda.h"
#include "runtime/ops/integer_sums_cuda.h"

namespace skiff::cuda {
namespace {

/// Sums [pixels, Cout] = x [pixels, Cin] w' with w [Cout, Cin].
cublaslt::Product product_of(const IntegerConvPlan& plan) {
  const ConvGeometry& g = plan.geometry;
  return {.m = plan.pixels(), .n = g.cout, .k = g.cin, .transpose_b = true, .dtype = DType::int8};
}

/// As int8 what is uint8: 128 less, the zero point too.
IntegerConvPlan as_signed(IntegerConvPlan plan) {
  if (plan.from == DType::uint8) plan.scales.x.zero -= 128;
  plan.from = DType::int8;
  return plan;
}

/// Whether cuBLASLt is asked: its algorithms for integers bring four at a time.
bool is_integer_product(const IntegerConvPlan& plan) {
  const ConvGeometry& g = plan.geometry;
  return is_product(g) && plan.outputs() > 0 && g.cin % 4 == 0 && g.cout % 4 == 0;
}

/// Scratch: the int8 that are multiplied, where x is uint8 | the sums | cuBLASLt's own.
class ProductIntegerConv final : public IntegerConvKernel {
 public:
  ProductIntegerConv(const KernelSpec& spec, const IntegerConvPlan& plan, int rank)
      : IntegerConvKernel(as_signed(plan), {plan.geometry.cin, plan.geometry.cin}),
        turns_(plan.from == DType::uint8),
        matmul_(spec.device.cublas(), product_of(plan),
                {left_of(spec.most_workspace, library_at()), rank}) {}

  std::size_t workspace_bytes() const noexcept override {
    return library_at() + matmul_.workspace();
  }
  const char* algorithm() const noexcept override { return "cuBLASLt, integers"; }
  bool tensor_cores() const noexcept override { return matmul_.tensor_cores(); }

  void enqueue(const LaunchArgs& args) override {
    auto* const scratch = static_cast<std::byte*>(args.workspace());
    const auto* x = args.input<std::int8_t>(0);
    if (turns_) {
      auto* const turned = reinterpret_cast<std::int8_t*>(scratch);
      enqueue_signed(args, args.input<std::uint8_t>(0), plan().pixels() * plan().geometry.cin,
                     turned);
      x = turned;
    }
    const auto* const packed = args.input<std::byte>(1);
    auto* const sums = reinterpret_cast<std::int32_t*>(scratch + sums_at());
    matmul_.enqueue(args.device, x, packed, nullptr, nullptr, sums, scratch + library_at());
    enqueue_results(args, plan(),
                    {.sums = sums,
                     .starts = reinterpret_cast<const std::int32_t*>(packed + starts_at()),
                     .factors = reinterpret_cast<const float*>(packed + factors_at()),
                     .bias = plan().has_bias ? args.input<float>(2) : nullptr},
                    args.output<void>(0));
  }

 private:
  static constexpr std::int64_t kAlignment = 256;

  static std::uint64_t left_of(std::uint64_t most, std::uint64_t taken) {
    if (taken > most) refuse("the sums of this product take ", taken, " bytes of scratch");
    return most - taken;
  }
  std::size_t sums_at() const noexcept {
    const std::int64_t numbers = turns_ ? plan().pixels() * plan().geometry.cin : 0;
    return static_cast<std::size_t>(round_up(numbers, kAlignment));
  }
  std::size_t library_at() const noexcept {
    const std::int64_t bytes = plan().outputs() * std::int64_t{sizeof(std::int32_t)};
    return sums_at() + static_cast<std::size_t>(round_up(bytes, kAlignment));
  }

  bool turns_;
  cublaslt::Matmul matmul_;
};

}  // namespace

KernelPtr make_product_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan, int rank) {
  if (!is_integer_product(plan)) refuse("cuBLASLt does not multiply these integers");
  return make_kernel<ProductIntegerConv>(spec.memory, spec, plan, rank);
}

int count_product_integer_conv(const KernelSpec& spec, const IntegerConvPlan& plan, int most) {
  return is_integer_product(plan)
             ? cublaslt::count_algorithms(spec.device.cublas(), product_of(plan), most)
             : 0;
}

}  // namespace skiff::cuda
