#include <algorithm>

#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/quantize_rows.h"

namespace skiff {
namespace {

struct Plan {
  ScaleRows rows;
  bool zeros;
};

/// y[i] = (x[i] - zero) * scale; the difference is exact, the product rounded once to float and
/// once more to a 16-bit result.
template <typename Q, typename S, typename Y>
void dequantize_row(const Q* x, const S* scale, const Q* zero, std::int64_t step, Y* y,
                    std::int64_t count) {
  using Wide = std::conditional_t<sizeof(Q) == 4, std::int64_t, int>;
  const auto one = [&](std::int64_t i, Wide z, float s) {
    y[i] = Y(static_cast<float>(static_cast<Wide>(x[i]) - z) * s);
  };
  if (step == 0) {
    const float s = load(*scale);
    const Wide z = zero == nullptr ? 0 : static_cast<Wide>(*zero);
    for (std::int64_t i = 0; i < count; ++i) one(i, z, s);
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      one(i, zero == nullptr ? 0 : static_cast<Wide>(zero[i]), load(scale[i]));
  }
}

template <typename Q, typename S, typename Y>
void run_dequantize(const Plan& p, const RunArgs& args) {
  const ScaleRows& r = p.rows;
  const Q* zero = p.zeros ? args.input<Q>(2) : nullptr;
  r.for_runs(args, [&](std::int64_t at, std::int64_t entry, std::int64_t count) {
    dequantize_row(args.input<Q>(0) + at, args.input<S>(1) + entry,
                   zero == nullptr ? nullptr : zero + entry, r.step, args.output<Y>(0) + at, count);
  });
}

class DequantizeKernel final : public Kernel {
 public:
  DequantizeKernel(const KernelSpec& spec, const fb::QuantizeAttrs& attrs)
      : plan_{ScaleRows::of(spec.input(0).shape, spec.input(1).shape, attrs),
              spec.node.has_input(2)},
        empty_(spec.input(0).elements() == 0) {
    using From = decltype(QuantizedTypes{} + Types<std::int32_t>{});
    run_ = dispatch(spec.node, spec.input(0).dtype, From{}, [&](auto q) {
      return dispatch(spec.node, spec.input(1).dtype, ScaleTypes{}, [&](auto s) {
        return dispatch(spec.node, spec.output(0).dtype, ScaleTypes{}, [&](auto y) {
          return &run_dequantize<typename decltype(q)::type, typename decltype(s)::type,
                                 typename decltype(y)::type>;
        });
      });
    });
  }

  Status run(const RunArgs& args) noexcept override {
    if (!empty_) run_(plan_, args);
    return {};
  }

 private:
  Plan plan_;
  bool empty_;
  void (*run_)(const Plan&, const RunArgs&) = nullptr;
};

}  // namespace

KernelPtr make_dequantize_cpu(const KernelSpec& spec) {
  return make_kernel<DequantizeKernel>(spec.memory, spec, spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
