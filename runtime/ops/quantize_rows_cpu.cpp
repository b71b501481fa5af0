#include "runtime/ops/quantize_rows.h"

namespace skiff {

ScaleRows ScaleRows::of(const Shape& x, const Shape& scale,
                        const fb::QuantizeAttrs& attrs) noexcept {
  ScaleRows result;
  if (attrs.block_size() == 0 && scale.elements() == 1) {
    result.length = x.elements();
    return result;
  }
  const AxisSplit split = split_at(x, static_cast<int>(attrs.axis()));
  if (attrs.block_size() == 0 && split.inner == 1) {  // a vector along the last axis
    result.rows = split.outer;
    result.length = split.extent;
    result.step = 1;
    return result;
  }
  result.rows = split.outer * split.extent;
  result.length = split.inner;
  result.step = attrs.block_size() == 0 ? 0 : 1;
  result.extent = split.extent;
  result.block = attrs.block_size() == 0 ? 1 : attrs.block_size();
  result.blocks = attrs.block_size() == 0 ? 0 : scale[static_cast<int>(attrs.axis())];
  result.inner = attrs.block_size() == 0 ? 1 : split.inner;
  return result;
}

std::int64_t ScaleRows::base(std::int64_t row) const noexcept {
  return (row / extent * blocks + row % extent / block) * inner;
}

}  // namespace skiff
