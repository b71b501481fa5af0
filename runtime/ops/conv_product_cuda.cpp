#include "runtime/cuda/cublaslt/matmul.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.h"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {
namespace {

bool fits_product(const ConvPlan& plan) {
  return !plan.transposed && plan.outputs() > 0 && is_product(plan.geometry);
}

/// y [pixels, Cout] = x [pixels, Cin] w' with w [Cout, Cin].
cublaslt::Product product_of(const ConvPlan& plan) {
  const ConvGeometry& g = plan.geometry;
  return {.m = g.batch * g.out_pixels(),
          .n = g.cout,
          .k = g.cin,
          .transpose_b = true,
          .dtype = plan.dtype,
          .tf32 = plan.tf32,
          .bias = plan.has_bias,
          .relu = plan.activation.function == fb::UnaryFunction::relu,
          .residual = plan.has_residual};
}

class ProductConv final : public StoredWeightsConv {
 public:
  ProductConv(const KernelSpec& spec, const ConvPlan& plan, int rank)
      : StoredWeightsConv(plan),
        product_(product_of(plan)),
        matmul_(spec.device.cublas(), product_, {spec.most_workspace, rank}) {}

  std::size_t workspace_bytes() const noexcept override { return matmul_.workspace(); }
  const char* algorithm() const noexcept override { return "cuBLASLt, 1x1"; }
  bool tensor_cores() const noexcept override { return matmul_.tensor_cores(); }

  void enqueue(const LaunchArgs& args) override {
    void* const y = args.output<void>(0);
    matmul_.enqueue(args.device, args.input<void>(0), args.input<void>(1),
                    plan().has_bias ? args.input<void>(2) : nullptr,
                    plan().has_residual ? args.input<void>(3) : nullptr, y, args.workspace());
    if (product_.relu || plan().activation.function == fb::UnaryFunction::none) return;
    enqueue_epilogue(args, plan().dtype, product_.m, product_.n, nullptr, nullptr,
                     plan().activation, y);
  }

 private:
  cublaslt::Product product_;
  cublaslt::Matmul matmul_;
};

}  // namespace

bool is_product(const ConvGeometry& g) noexcept {
  if (g.groups != 1 || g.taps() != 1) return false;
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (g.stride[axis] != 1 || g.in[axis] != g.out[axis]) return false;
  return true;
}

KernelPtr make_product_conv(const KernelSpec& spec, const ConvPlan& plan, int rank) {
  if (!fits_product(plan)) refuse("this convolution is no product");
  return make_kernel<ProductConv>(spec.memory, spec, plan, rank);
}

int count_product_conv(const KernelSpec& spec, const ConvPlan& plan, int most) {
  return fits_product(plan)
             ? cublaslt::count_algorithms(spec.device.cublas(), product_of(plan), most)
             : 0;
}

}  // namespace skiff::cuda
