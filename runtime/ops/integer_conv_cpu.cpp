#include "runtime/ops/integer_conv.h"

#include "runtime/cpu/activation.h"
#include "runtime/cpu/isa.h"
#include "runtime/ops/integer_kernels.h"
#include "runtime/ops/ops.h"

namespace skiff {

cpu::IntegerResult integer_result(const KernelSpec& spec, const IntegerScales& scales) {
  const auto& attrs = spec.node.attrs<fb::ConvAttrs>();
  const IntegerRounding rounding = integer_rounding(spec.node, spec.output(0), scales);
  return {.bias_factor = rounding.bias_factor,
          .low = rounding.low,
          .high = rounding.high,
          .zero = rounding.zero,
          .bytes = scales.quantized,
          .epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta())};
}

KernelPtr make_integer_conv_cpu(const KernelSpec& spec) {
  const ConvGeometry g = read_conv_geometry(spec.node);
  require_exact_sums(spec.node, g);
  if (integer_depthwise_fits(g)) return make_integer_depthwise(spec, g);
  return make_integer_product(spec, g, cpu::best_integers(spec.table));
}

}  // namespace skiff
