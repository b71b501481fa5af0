#include <cstring>

#include "runtime/core/hash.h"
#include "runtime/ops/integer_conv_cuda.h"

namespace skiff::cuda {

IntegerConvPlan read_integer_conv(const KernelSpec& spec) {
  const NodeView& node = spec.node;
  const auto& attrs = node.attrs<fb::ConvAttrs>();
  IntegerConvPlan plan;
  plan.geometry = read_conv_geometry(node);
  plan.scales = read_integer_scales(node, spec.output(0));
  plan.rounding = integer_rounding(node, spec.output(0), plan.scales);
  plan.activation = {attrs.activation(), attrs.alpha(), attrs.beta()};
  plan.from = spec.input(0).dtype;
  plan.to = spec.output(0).dtype;
  plan.has_bias = node.has_input(2);
  plan.constant_bias = plan.has_bias && spec.input(2).constant;
  require_exact_sums(node, plan.geometry);
  return plan;
}

std::size_t IntegerConvKernel::zeros_at() const noexcept {
  return static_cast<std::size_t>(round_up(plan_.geometry.cout * rows_.bytes, kChunk));
}

skiff_constant_form IntegerConvKernel::constant_form(int input) const noexcept {
  if (input != 1) return {};
  std::uint64_t key = integer_key(plan_.scales, plan_.geometry.cout, 0);
  for (const std::int64_t value : {rows_.pitch, rows_.bytes}) key = hashed(key, value);
  return {packed_bytes(), static_cast<std::uint64_t>(plan_.depth()), key};
}

void IntegerConvKernel::pack(int, Reader& reader, std::span<std::byte> packed,
                             std::span<std::byte> scratch) {
  std::memset(packed.data(), 0, packed.size());
  std::memset(packed.data() + zeros_at(), plan_.scales.x.zero, kChunk);
  const std::span<std::byte> filter = scratch.first(static_cast<std::size_t>(plan_.depth()));
  for (std::int64_t channel = 0; channel < plan_.geometry.cout; ++channel) {
    reader.read(filter);
    pack_filter(reinterpret_cast<const std::int8_t*>(filter.data()), channel, packed.data());
  }
}

void IntegerConvKernel::pack_filter(const std::int8_t* filter, std::int64_t channel,
                                    std::byte* packed) const {
  int sum = 0;
  for (std::int64_t i = 0; i < plan_.depth(); ++i) sum += filter[i];
  const int start = -plan_.scales.x.zero * sum;
  const float factor = integer_factor(plan_.scales, channel);
  const std::size_t place = static_cast<std::size_t>(channel) * sizeof(int);
  std::memcpy(packed + starts_at() + place, &start, sizeof start);
  std::memcpy(packed + factors_at() + place, &factor, sizeof factor);
  std::byte* to = packed + channel * rows_.bytes;
  const std::int64_t cin = plan_.geometry.group_cin();
  for (std::int64_t tap = 0; tap < plan_.geometry.taps(); ++tap)
    std::memcpy(to + tap * rows_.pitch, filter + tap * cin, static_cast<std::size_t>(cin));
}

}  // namespace skiff::cuda
