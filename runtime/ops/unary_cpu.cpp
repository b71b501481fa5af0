#include <algorithm>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/half_block.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/unary_math.h"
#include "runtime/ops/unary_run.h"

namespace skiff {
namespace {

using fb::UnaryFunction;

using Run = UnaryRun::Run;

void run_table(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  const cpu::Epilogue f{static_cast<cpu::Activation>(p.function), p.alpha, p.beta};
  p.table->activate(f, static_cast<const float*>(x), static_cast<float*>(y), count);
}

/// Functions that the instruction set's table has; count: none.
cpu::RowUnary in_table(UnaryFunction function) {
  switch (function) {
#define SKIFF_CASE(name)    \
  case UnaryFunction::name: \
    return cpu::RowUnary::name;
    SKIFF_CASE(abs)
    SKIFF_CASE(neg)
    SKIFF_CASE(exp)
    SKIFF_CASE(log)
    SKIFF_CASE(sqrt)
    SKIFF_CASE(rsqrt)
    SKIFF_CASE(reciprocal)
    SKIFF_CASE(square)
    SKIFF_CASE(floor)
    SKIFF_CASE(ceil)
    SKIFF_CASE(round)
    SKIFF_CASE(erf)
    SKIFF_CASE(sin)
    SKIFF_CASE(cos)
#undef SKIFF_CASE
    default:
      return cpu::RowUnary::count;
  }
}

void run_row(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  p.table->rows.unary[static_cast<int>(in_table(p.function))](static_cast<const float*>(x),
                                                              static_cast<float*>(y), count);
}

template <UnaryFunction F, typename T>
void run_float(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  const T alpha = p.alpha, beta = p.beta;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) to[i] = unary_float<F, T>(from[i], alpha, beta);
}

template <UnaryFunction F, typename T>
void run_integer(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  const T alpha = saturate_to<T>(p.alpha), beta = saturate_to<T>(p.beta);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) to[i] = unary_integer<F, T>(from[i], alpha, beta);
}

/// is_nan and is_inf: bool from a float of any kind.
template <typename T>
void run_test(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  const T* from = static_cast<const T*>(x);
  bool* to = static_cast<bool*>(y);
  const bool nan = p.function == UnaryFunction::is_nan;
  const bool positive = !nan && p.alpha != 0, negative = !nan && p.beta != 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto v = load(from[i]);
    to[i] = nan ? std::isnan(v) : std::isinf(v) && (v > 0 ? positive : negative);
  }
}

void run_logical_not(const UnaryRun&, const void* x, void* y, std::int64_t count) {
  const auto* from = static_cast<const std::uint8_t*>(x);
  auto* to = static_cast<bool*>(y);
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] == 0;
}

template <typename T>
Run float_run(UnaryFunction function) {
  if constexpr (std::is_same_v<T, float>) {
    if (function <= UnaryFunction::shrink) return run_table;
    if (in_table(function) != cpu::RowUnary::count) return run_row;
  }
  switch (function) {
#define SKIFF_CASE(name)    \
  case UnaryFunction::name: \
    return run_float<UnaryFunction::name, T>;
#define SKIFF_TABLE(name)   \
  case UnaryFunction::name: \
    if constexpr (!std::is_same_v<T, float>) return run_float<UnaryFunction::name, T>;
    SKIFF_TABLE(relu)
    SKIFF_TABLE(clip)
    SKIFF_TABLE(leaky_relu)
    SKIFF_TABLE(sigmoid)
    SKIFF_TABLE(tanh)
    SKIFF_TABLE(hard_sigmoid)
    SKIFF_TABLE(hard_swish)
    SKIFF_TABLE(swish)
    SKIFF_TABLE(gelu_erf)
    SKIFF_TABLE(gelu_tanh)
    SKIFF_TABLE(elu)
    SKIFF_TABLE(selu)
    SKIFF_TABLE(celu)
    SKIFF_TABLE(softplus)
    SKIFF_TABLE(softsign)
    SKIFF_TABLE(mish)
    SKIFF_TABLE(thresholded_relu)
    SKIFF_TABLE(shrink)
    SKIFF_TABLE(abs)
    SKIFF_TABLE(neg)
    SKIFF_TABLE(exp)
    SKIFF_TABLE(log)
    SKIFF_TABLE(sqrt)
    SKIFF_TABLE(rsqrt)
    SKIFF_TABLE(reciprocal)
    SKIFF_TABLE(square)
    SKIFF_TABLE(floor)
    SKIFF_TABLE(ceil)
    SKIFF_TABLE(round)
    SKIFF_CASE(sign)
    SKIFF_TABLE(erf)
    SKIFF_TABLE(sin)
    SKIFF_TABLE(cos)
    SKIFF_CASE(tan)
    SKIFF_CASE(asin)
    SKIFF_CASE(acos)
    SKIFF_CASE(atan)
    SKIFF_CASE(sinh)
    SKIFF_CASE(cosh)
    SKIFF_CASE(asinh)
    SKIFF_CASE(acosh)
    SKIFF_CASE(atanh)
#undef SKIFF_TABLE
#undef SKIFF_CASE
    default:
      return nullptr;
  }
}

template <typename T>
Run integer_run(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::relu:
      return run_integer<UnaryFunction::relu, T>;
    case UnaryFunction::clip:
      return run_integer<UnaryFunction::clip, T>;
    case UnaryFunction::abs:
      return run_integer<UnaryFunction::abs, T>;
    case UnaryFunction::neg:
      return run_integer<UnaryFunction::neg, T>;
    case UnaryFunction::square:
      return run_integer<UnaryFunction::square, T>;
    case UnaryFunction::sign:
      return run_integer<UnaryFunction::sign, T>;
    case UnaryFunction::bitwise_not:
      return run_integer<UnaryFunction::bitwise_not, T>;
    default:
      return nullptr;
  }
}

template <typename H>
void run_half(const UnaryRun& p, const void* x, void* y, std::int64_t count) {
  const H* from = static_cast<const H*>(x);
  H* to = static_cast<H*>(y);
  float block[kHalfBlock];
  const Run inner = float_run<float>(p.function);
  for (std::int64_t i = 0; i < count; i += kHalfBlock) {
    const std::int64_t n = std::min(kHalfBlock, count - i);
    widen(from + i, block, n);
    inner(p, block, block, n);
    narrow(block, to + i, n);
  }
}

Run choose(const NodeView& node, UnaryFunction function, DType dtype) {
  if (function == UnaryFunction::logical_not) return run_logical_not;
  return dispatch(node, dtype, NumericTypes{}, [&](auto type) -> Run {
    using T = typename decltype(type)::type;
    if constexpr (std::is_integral_v<T>) {
      return integer_run<T>(function);
    } else {
      if (function >= UnaryFunction::is_nan) return run_test<T>;
      if constexpr (std::is_floating_point_v<T>) return float_run<T>(function);
      return run_half<T>;
    }
  });
}

class UnaryKernel final : public Kernel {
 public:
  UnaryKernel(const KernelSpec& spec, const fb::UnaryAttrs& attrs)
      : apply_(make_unary_run(spec.node, attrs.function(), attrs.alpha(), attrs.beta(),
                              spec.input(0).dtype, spec.table)),
        count_(spec.input(0).elements()),
        in_size_(static_cast<std::int64_t>(size_of(spec.input(0).dtype))),
        out_size_(static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {}

  bool can_overwrite(int, int) const noexcept override { return in_size_ == out_size_; }

  Status run(const RunArgs& args) noexcept override {
    parallel_flat(args, count_, apply_.cost(), [&](std::int64_t begin, std::int64_t count) {
      apply_(args.input<std::byte>(0) + begin * in_size_,
             args.output<std::byte>(0) + begin * out_size_, count);
    });
    return {};
  }

 private:
  UnaryRun apply_;
  std::int64_t count_, in_size_, out_size_;
};

}  // namespace

std::int64_t UnaryRun::cost() const noexcept { return run == run_table || run == run_row ? 2 : 8; }

UnaryRun make_unary_run(const NodeView& node, UnaryFunction function, float alpha, float beta,
                        DType dtype, const cpu::KernelTable& table) {
  UnaryRun result{function, alpha, beta, &table, choose(node, function, dtype)};
  if (result.run == nullptr) fail_dtype(node, dtype);
  return result;
}

KernelPtr make_unary_cpu(const KernelSpec& spec) {
  return make_kernel<UnaryKernel>(spec.memory, spec, spec.node.attrs<fb::UnaryAttrs>());
}

}  // namespace skiff
