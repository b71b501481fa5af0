#include "runtime/ops/integer_conv.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "runtime/cpu/activation.h"
#include "runtime/cpu/isa.h"
#include "runtime/ops/integer_kernels.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

struct Range {
  float low, high;
};

/// Of the activations that bound their results; none for others.
Range bounds_of(const cpu::Epilogue& f) noexcept {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (f.activation == cpu::Activation::relu) return {0, kInfinity};
  if (f.activation == cpu::Activation::clip) return {f.alpha, f.beta};
  return {-kInfinity, kInfinity};
}

}  // namespace

cpu::IntegerResult integer_result(const KernelSpec& spec, const IntegerScales& scales) {
  const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
  cpu::IntegerResult result;
  result.epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
  const Range bounds = bounds_of(result.epilogue);
  result.low = bounds.low, result.high = bounds.high;
  if (!scales.quantized) return result;
  result.bytes = true;
  result.zero = scales.y.zero;
  result.bias_factor = 1 / scales.y.scale;
  const int least = spec.output(0).dtype == DType::int8 ? -128 : 0;
  const auto lowest = static_cast<float>(least - result.zero);
  result.low = std::clamp(bounds.low / scales.y.scale, lowest, lowest + 255);
  result.high = std::clamp(bounds.high / scales.y.scale, lowest, lowest + 255);
  return result;
}

float integer_factor(const IntegerScales& scales, std::int64_t channel) noexcept {
  const double product =
      static_cast<double>(scales.x.scale) * static_cast<double>(scales.weights.of(channel));
  return static_cast<float>(scales.quantized ? product / static_cast<double>(scales.y.scale)
                                             : product);
}

std::uint64_t integer_key(const IntegerScales& scales, std::int64_t channels) noexcept {
  std::uint64_t key = static_cast<std::uint32_t>(scales.x.zero);
  for (std::int64_t c = 0; c < channels; ++c)
    key = (key ^ std::bit_cast<std::uint32_t>(integer_factor(scales, c))) * 0x100000001b3u;
  return key;
}

KernelPtr make_integer_conv_cpu(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  if (integer_depthwise_fits(g)) return make_integer_depthwise(spec, g);
  return make_integer_product(spec, g, cpu::best_integers(spec.table));
}

}  // namespace skiff
