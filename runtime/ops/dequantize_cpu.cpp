#include <algorithm>

#include "runtime/ops/elementwise.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/quantize_rows.h"

namespace skiff {
namespace {

struct Dequantize {
  using From = decltype(QuantizedTypes{} + Types<std::int32_t>{});
  using To = ScaleTypes;
  template <typename Q, typename>
  using Zero = Q;

  /// y[i] = (x[i] - zero) * scale; the difference is exact, the product rounded once to float and
  /// once more to a 16-bit result.
  template <typename Q, typename S, typename Y>
  static void row(const Q* x, const S* scale, const Q* zero, std::int64_t step, Y* y,
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
};

}  // namespace

KernelPtr make_dequantize_cpu(const KernelSpec& spec) {
  return make_kernel<ScaledKernel<Dequantize>>(spec.memory, spec,
                                               spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
