#include <algorithm>
#include <limits>

#include "runtime/cpu/kernel_table.h"
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
  using Integers = QuantizedTypes;

  static DType integer(const KernelSpec& spec) { return spec.output(0).dtype; }
  static FloatBlocks floats(const KernelSpec& spec) {
    return FloatBlocks::from(spec.node, spec.input(0).dtype);
  }

  template <typename Q>
  static void block(const cpu::KernelTable& table, const RunArgs& args, const FloatBlocks& floats,
                    std::int64_t at, std::int64_t count, const float* scale, const Q* zero,
                    std::int64_t step) {
    FloatBlocks::Block wide;
    const float* x = floats.read(args.inputs[0], at, count, wide);
    Q* y = args.output<Q>(0) + at;
    if (step == 0) {
      const float s = *scale;
      const int z = zero == nullptr ? 0 : *zero;
      if constexpr (sizeof(Q) == 1)
        table.quantize(x, s, z, std::is_signed_v<Q>, reinterpret_cast<std::uint8_t*>(y), count);
      else
        for (std::int64_t i = 0; i < count; ++i) y[i] = quantize_one<Q>(x[i], s, z);
    } else {
      for (std::int64_t i = 0; i < count; ++i)
        y[i] = quantize_one<Q>(x[i], scale[i], zero == nullptr ? 0 : zero[i]);
    }
  }
};

}  // namespace

KernelPtr make_quantize_cpu(const KernelSpec& spec) {
  return make_kernel<ScaledKernel<Quantize>>(spec.memory, spec,
                                             spec.node.attrs<fb::QuantizeAttrs>());
}

}  // namespace skiff
