#include "runtime/ops/matmul_generic.h"

#include <type_traits>

#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/unary_run.h"

namespace skiff {
namespace {

using MatMulTypes = decltype(FloatTypes{} +
                             Types<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>{});

/// What sums are kept in: unsigned for integers, so that they wrap.
template <typename T, bool kInteger = std::is_integral_v<T>>
struct SumOf {
  using type = Compute<T>;
};
template <typename T>
struct SumOf<T, true> {
  using type = std::make_unsigned_t<T>;
};

class GenericMatMul final : public Kernel {
 public:
  GenericMatMul(const KernelSpec& spec, const MatMulGeometry& g)
      : g_(g), has_bias_(spec.node.has_input(2)), has_residual_(spec.node.has_input(3)) {
    const DType dtype = spec.input(0).dtype;
    if (spec.input(1).dtype != dtype) fail_dtype(spec.node, spec.input(1).dtype);
    const auto& attrs = spec.node.attrs<fb::MatMulAttrs>();
    scale_ = attrs.scale();
    require(scale_ == 1.0f || holds(FloatTypes{}, dtype), ErrorCode::unsupported, "node '",
            spec.node.name, "' (matmul): a scale of ", scale_, " for ", dtype);
    if (attrs.activation() != fb::UnaryFunction::none)
      activation_ = make_unary_run(spec.node, attrs.activation(), attrs.alpha(), attrs.beta(),
                                   dtype, spec.table);
    row_ = dispatch(spec.node, dtype, MatMulTypes{}, [](auto type) {
      return Row([](const GenericMatMul& self, const RunArgs& args, std::int64_t row) {
        self.compute<typename decltype(type)::type>(args, row);
      });
    });
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }
  Status run(const RunArgs& args) noexcept override {
    args.pool.parallel_for(g_.batches * g_.m, [&](std::int64_t row) { row_(*this, args, row); });
    return {};
  }
  std::int64_t flops() const noexcept override {
    return cpu::work_of({2, g_.batches, g_.m, g_.k, g_.n});
  }

 private:
  using Row = void (*)(const GenericMatMul& self, const RunArgs& args, std::int64_t row);

  template <typename T>
  void compute(const RunArgs& args, std::int64_t row) const noexcept {
    using Sum = typename SumOf<T>::type;
    const std::int64_t index = row / g_.m, i = row % g_.m;
    const T* a = args.input<T>(0) + g_.matrix_of(g_.a_steps, index) * g_.m * g_.k +
                 (g_.transpose_a ? i : i * g_.k);
    const T* b = args.input<T>(1) + g_.matrix_of(g_.b_steps, index) * g_.k * g_.n;
    const std::int64_t a_step = g_.transpose_a ? g_.m : 1, b_step = g_.transpose_b ? 1 : g_.n;
    T* y = args.output<T>(0) + row * g_.n;
    for (std::int64_t j = 0; j < g_.n; ++j) {
      const T* column = b + (g_.transpose_b ? j * g_.k : j);
      Sum sum{};
      for (std::int64_t k = 0; k < g_.k; ++k)
        sum += static_cast<Sum>(load(a[k * a_step])) * static_cast<Sum>(load(column[k * b_step]));
      if constexpr (!std::is_integral_v<T>) sum *= static_cast<Sum>(scale_);
      if (has_bias_) sum += static_cast<Sum>(load(args.input<T>(2)[j]));
      if (has_residual_) sum += static_cast<Sum>(load(args.input<T>(3)[row * g_.n + j]));
      y[j] = static_cast<T>(sum);
    }
    if (activation_) activation_(y, y, g_.n);
  }

  MatMulGeometry g_;
  UnaryRun activation_;
  float scale_ = 1;
  Row row_ = nullptr;
  bool has_bias_;
  bool has_residual_;
};

}  // namespace

KernelPtr make_generic_matmul(const KernelSpec& spec, const MatMulGeometry& geometry) {
  return make_kernel<GenericMatMul>(spec.memory, spec, geometry);
}

}  // namespace skiff
