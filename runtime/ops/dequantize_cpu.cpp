#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/quantize_rows.h"

namespace skiff {
namespace {

struct Dequantize {
  using Integers = decltype(QuantizedTypes{} + Types<std::int32_t>{});

  static DType integer(const KernelSpec& spec) { return spec.input(0).dtype; }
  static FloatBlocks floats(const KernelSpec& spec) {
    return FloatBlocks::to(spec.node, spec.output(0).dtype);
  }

  /// y[i] = (x[i] - zero) * scale; the difference is exact, the product rounded once to float and
  /// once more to a 16-bit result.
  template <typename Q>
  static void block(const cpu::KernelTable& table, const RunArgs& args, const FloatBlocks& floats,
                    std::int64_t at, std::int64_t count, const float* scale, const Q* zero,
                    std::int64_t step) {
    using Wide = std::conditional_t<sizeof(Q) == 4, std::int64_t, int>;
    const Q* x = args.input<Q>(0) + at;
    FloatBlocks::Block wide;
    float* y = floats.begin(args.outputs[0], at, wide);
    const auto one = [&](std::int64_t i, Wide z, float s) {
      y[i] = static_cast<float>(static_cast<Wide>(x[i]) - z) * s;
    };
    if (step == 0) {
      const float s = *scale;
      const Wide z = zero == nullptr ? 0 : static_cast<Wide>(*zero);
      if constexpr (sizeof(Q) == 1)
        table.dequantize(reinterpret_cast<const std::uint8_t*>(x), std::is_signed_v<Q>, s, z, y,
                         count);
      else
        for (std::int64_t i = 0; i < count; ++i) one(i, z, s);
    } else {
      for (std::int64_t i = 0; i < count; ++i)
        one(i, zero == nullptr ? 0 : static_cast<Wide>(zero[i]), scale[i]);
    }
    floats.written(args.outputs[0], at, count, wide);
  }
};

}  // namespace

KernelPtr make_dequantize_cpu(const KernelSpec& spec) {
  return make_kernel<ScaledKernel<Dequantize>>(spec.memory, spec,
                                               spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
