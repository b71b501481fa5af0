#include "converters/tflite/window.h"

#include <algorithm>

#include "runtime/core/checked.h"

namespace skiff::convert::tfl {

std::vector<std::int64_t> window_pads(const Operation& op, const Shape& in, const Shape& kernel,
                                      const std::vector<std::int64_t>& strides,
                                      const std::vector<std::int64_t>& dilations,
                                      tflite::Padding padding) {
  const std::size_t spatial = strides.size();
  op.check(padding == tflite::Padding::same || padding == tflite::Padding::valid, "padding ",
           static_cast<int>(padding));
  std::vector<std::int64_t> pads(2 * spatial, 0);
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<int>(i);
    op.check(strides[i] > 0 && dilations[i] > 0 && kernel[axis] > 0, "stride ", strides[i],
             ", dilation ", dilations[i], " and kernel ", kernel[axis], " must be positive");
    op.check(in[axis] < kMaxExtent && kernel[axis] < kMaxExtent, "an extent of ", in[axis]);
    if (padding == tflite::Padding::valid) continue;
    const std::int64_t out = ceil_div(in[axis], strides[i]);
    const std::int64_t reach = (kernel[axis] - 1) * dilations[i] + 1;
    const std::int64_t total = std::max<std::int64_t>((out - 1) * strides[i] + reach - in[axis], 0);
    pads[i] = total / 2;
    pads[i + spatial] = total - total / 2;
  }
  return pads;
}

}  // namespace skiff::convert::tfl
