#include "runtime/ops/dispatch.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

template <typename T>
void select(const std::uint8_t* condition, std::int64_t step_c, const void* yes,
            std::int64_t step_a, const void* no, std::int64_t step_b, void* to,
            std::int64_t count) {
  const T *a = static_cast<const T*>(yes), *b = static_cast<const T*>(no);
  T* y = static_cast<T*>(to);
  if (step_c == 1 && step_a == 1 && step_b == 1) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
      const T u = a[i], v = b[i];
      y[i] = condition[i] != 0 ? u : v;
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    y[i] = condition[i * step_c] != 0 ? a[i * step_a] : b[i * step_b];
}

class WhereKernel final : public Kernel {
 public:
  explicit WhereKernel(const KernelSpec& spec)
      : loop_(spec.output(0).shape, {strides(spec, 0), strides(spec, 1), strides(spec, 2)}),
        size_(static_cast<std::int64_t>(size_of(spec.output(0).dtype))) {
    select_ = dispatch(spec.node, dtype_of_size(spec.output(0).dtype), SizeTypes{},
                       [](auto type) { return &select<typename decltype(type)::type>; });
    for (int n = 0; n < 3; ++n)
      same_shape_[n] = spec.input(n).shape == spec.output(0).shape &&
                       size_of(spec.input(n).dtype) == size_of(spec.output(0).dtype);
  }

  bool can_overwrite(int input, int) const noexcept override { return same_shape_[input]; }

  Status run(const RunArgs& args) noexcept override {
    const auto* condition = args.input<std::uint8_t>(0);
    const auto *a = args.input<std::byte>(1), *b = args.input<std::byte>(2);
    auto* y = args.output<std::byte>(0);
    parallel_runs(args, loop_, 1, [&](const auto& from, std::int64_t to, std::int64_t count) {
      select_(condition + from[0], loop_.inner_stride(0), a + from[1] * size_,
              loop_.inner_stride(1), b + from[2] * size_, loop_.inner_stride(2), y + to * size_,
              count);
    });
    return {};
  }

 private:
  static Strides strides(const KernelSpec& spec, int input) {
    return broadcast_strides(spec.input(input).shape, spec.output(0).shape);
  }

  StridedLoop<3> loop_;
  std::int64_t size_;
  decltype(&select<std::uint8_t>) select_ = nullptr;
  bool same_shape_[3] = {};
};

}  // namespace

KernelPtr make_where_cpu(const KernelSpec& spec) {
  return make_kernel<WhereKernel>(spec.memory, spec);
}

}  // namespace skiff
