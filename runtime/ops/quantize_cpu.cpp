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

struct Quantize {
  using From = decltype(ScaleTypes{} + Types<std::int32_t>{});
  using To = QuantizedTypes;
  template <typename, typename Q>
  using Zero = Q;

  template <typename X, typename S, typename Q>
  static void row(const X* x, const S* scale, const Q* zero, std::int64_t step, Q* y,
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
};

}  // namespace

KernelPtr make_quantize_cpu(const KernelSpec& spec) {
  return make_kernel<ScaledKernel<Quantize>>(spec.memory, spec,
                                             spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
