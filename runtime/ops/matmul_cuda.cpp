#include "runtime/ops/matmul.h"

#include "runtime/cuda/activation.h"
#include "runtime/cuda/cublaslt/matmul.h"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/epilogue.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/weights.h"

namespace skiff::cuda {
namespace {

bool is_relu(const Activation& activation) {
  return activation.function == fb::UnaryFunction::relu;
}

/// Elements between the matrices that one operand has for successive batches, 0 when it has one for
/// all; other broadcasts are not one strided product.
std::int64_t step_of(const MatMulGeometry& g, const std::array<std::int64_t, kMaxRank>& steps,
                     std::int64_t matrices, std::int64_t elements) {
  if (matrices == 1) return 0;
  for (std::int64_t index = 0; index < g.batches; ++index)
    if (g.matrix_of(steps, index) != index) refuse("batches broadcast along some axes only");
  return elements;
}

class Matmul final : public Kernel {
 public:
  Matmul(const KernelSpec& spec, const MatMulGeometry& g, const cublaslt::Product& product,
         const Activation& activation, const cublaslt::Pick& pick)
      : product_(product),
        stored_(spec.input(1).dtype),
        b_elements_(g.b_matrices * g.k * g.n),
        activation_(activation),
        matmul_(spec.device.cublas(), product, pick) {}

  std::size_t workspace_bytes() const noexcept override { return matmul_.workspace(); }
  skiff_constant_form constant_form(int input) const noexcept override {
    if (input != 1 || stored_ == product_.dtype) return {};
    return {static_cast<std::uint64_t>(b_elements_) * size_of(product_.dtype),
            read_scratch(stored_, product_.dtype, b_elements_), 0};
  }
  void pack(int, Reader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    read_weights(reader, stored_, product_.dtype, packed, scratch);
  }

  std::int64_t flops() const noexcept override {
    return 2 * product_.batches * product_.m * product_.n * product_.k;
  }
  const char* algorithm() const noexcept override { return "cuBLASLt"; }
  bool tensor_cores() const noexcept override { return matmul_.tensor_cores(); }

  void enqueue(const LaunchArgs& args) override {
    const void* bias = product_.bias ? args.input<void>(2) : nullptr;
    const void* residual = product_.residual ? args.input<void>(3) : nullptr;
    matmul_.enqueue(args.device, args.input<void>(0), args.input<void>(1), bias, residual,
                    args.output<void>(0), args.workspace());
    if (activation_.function == fb::UnaryFunction::none) return;
    enqueue_epilogue(args, product_.dtype, product_.batches * product_.m, product_.n, nullptr,
                     nullptr, activation_, args.output<void>(0));
  }

 private:
  cublaslt::Product product_;
  DType stored_;  ///< of a constant b
  std::int64_t b_elements_;
  Activation activation_;  ///< what the epilogue of cuBLASLt does not do
  cublaslt::Matmul matmul_;
};

/// A node as the product that cuBLASLt is asked for.
struct Plan {
  MatMulGeometry geometry;
  cublaslt::Product product;
  Activation activation;  ///< what is left to do
};

Plan read_plan(const KernelSpec& spec) {
  const auto& attrs = spec.node.attrs<fb::MatMulAttrs>();
  const MatMulGeometry g = read_matmul_geometry(spec.node);
  if (g.m * g.n * g.k * g.batches == 0) refuse("an empty product");
  if (spec.input(1).dtype != spec.input(0).dtype && !spec.input(1).constant)
    refuse("operands of two types");
  const Activation activation{attrs.activation(), attrs.alpha(), attrs.beta()};
  cublaslt::Product p{.m = g.m,
                      .n = g.n,
                      .k = g.k,
                      .batches = g.batches,
                      .a_step = step_of(g, g.a_steps, g.a_matrices, g.m * g.k),
                      .b_step = step_of(g, g.b_steps, g.b_matrices, g.k * g.n),
                      .transpose_a = g.transpose_a,
                      .transpose_b = g.transpose_b,
                      .dtype = spec.input(0).dtype,
                      .tf32 = spec.tf32 && spec.input(0).dtype == DType::float32,
                      .scale = attrs.scale(),
                      .bias = spec.node.has_input(2),
                      .relu = is_relu(activation),
                      .residual = spec.node.has_input(3)};
  // One matrix b for all batches of a: one tall product.
  if (p.b_step == 0 && !p.transpose_a && p.a_step != 0) {
    p.m *= p.batches;
    p.batches = 1;
    p.a_step = 0;
  }
  return {g, p, p.relu ? Activation{} : activation};
}

}  // namespace

KernelPtr make_matmul(const KernelSpec& spec) {
  const Plan plan = read_plan(spec);
  const auto make = [&](int rank) {
    return make_kernel<Matmul>(spec.memory, spec, plan.geometry, plan.product, plan.activation,
                               cublaslt::Pick{spec.most_workspace, rank});
  };
  if (const int rank = cublaslt::rank_of(spec.choice); rank >= 0) try {
      return make(rank);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported || spec.exact) throw;
    }
  return make(-1);
}

Choices list_matmul_choices(const KernelSpec& spec, int most) {
  const cublaslt::Product p = read_plan(spec).product;
  const std::string types =
      message("matmul ", p.dtype, p.tf32 ? " as tf32" : "", " stored ", spec.input(1).dtype);
  const std::string sizes = message(" m ", p.m, " n ", p.n, " k ", p.k, " batches ", p.batches,
                                    " steps ", p.a_step, " ", p.b_step);
  const std::string form = message(" turned ", p.transpose_a, p.transpose_b, " bias ", p.bias,
                                   " relu ", p.relu, " residual ", p.residual);
  Choices choices{types + sizes + form, {}};
  const int count = cublaslt::count_algorithms(spec.device.cublas(), p, most);
  for (int rank = 0; rank < count; ++rank) choices.names.push_back(cublaslt::name_of_rank(rank));
  return choices;
}

}  // namespace skiff::cuda
