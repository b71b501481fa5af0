#include <algorithm>
#include <limits>

#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/quantize_rows.h"

namespace skiff {
namespace {

/// y[i] = saturate(round half to even(x[i] / scale) + zero). Clamping first keeps the sum that
/// rounds (2^23 and a half of it) exact; a NaN becomes the lowest number.
template <typename Q>
Q quantize_one(float x, float scale, int zero) {
  constexpr float kRound = 12582912.0f;
  const auto low = static_cast<float>(std::numeric_limits<Q>::min() - zero);
  const auto high = static_cast<float>(std::numeric_limits<Q>::max() - zero);
  float v = x / scale;
  v = v > low ? v : low;
  v = v < high ? v : high;
  v = (v + kRound) - kRound;
  return static_cast<Q>(static_cast<int>(v) + zero);
}

/// A row; step 0: one scale for all of it. zero may be null.
template <typename X, typename S, typename Q>
void quantize_row(const X* x, const S* scale, const Q* zero, std::int64_t step, Q* y,
                  std::int64_t count) {
  const auto value = [&](std::int64_t i) { return static_cast<float>(load(x[i])); };
  if (step == 0) {
    const float s = load(*scale);
    const int z = zero == nullptr ? 0 : *zero;
    for (std::int64_t i = 0; i < count; ++i) y[i] = quantize_one<Q>(value(i), s, z);
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      y[i] = quantize_one<Q>(value(i), load(scale[i]), zero == nullptr ? 0 : zero[i]);
  }
}

struct Plan {
  ScaleRows rows;
  bool zeros;
};

template <typename X, typename S, typename Q>
void run_quantize(const Plan& p, const RunArgs& args) {
  const ScaleRows& r = p.rows;
  const auto* zero = p.zeros ? args.input<Q>(2) : nullptr;
  r.for_runs(args, [&](std::int64_t at, std::int64_t entry, std::int64_t count) {
    quantize_row(args.input<X>(0) + at, args.input<S>(1) + entry,
                 zero == nullptr ? nullptr : zero + entry, r.step, args.output<Q>(0) + at, count);
  });
}

class QuantizeKernel final : public Kernel {
 public:
  QuantizeKernel(const KernelSpec& spec, const fb::QuantizeAttrs& attrs)
      : plan_{ScaleRows::of(spec.input(0).shape, spec.input(1).shape, attrs),
              spec.node.has_input(2)},
        empty_(spec.input(0).elements() == 0) {
    using From = decltype(ScaleTypes{} + Types<std::int32_t>{});
    run_ = dispatch(spec.node, spec.input(0).dtype, From{}, [&](auto x) {
      return dispatch(spec.node, spec.input(1).dtype, ScaleTypes{}, [&](auto s) {
        return dispatch(spec.node, spec.output(0).dtype, QuantizedTypes{}, [&](auto q) {
          return &run_quantize<typename decltype(x)::type, typename decltype(s)::type,
                               typename decltype(q)::type>;
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

KernelPtr make_quantize_cpu(const KernelSpec& spec) {
  return make_kernel<QuantizeKernel>(spec.memory, spec, spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
