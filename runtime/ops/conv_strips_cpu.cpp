#include "runtime/ops/conv_strips.h"

#include "runtime/cpu/tiling.h"
#include "runtime/ops/conv_packed.h"

namespace skiff {
namespace {

constexpr std::int64_t kStripElements = 16 << 10;
constexpr std::int64_t kStripMultiplyAdds = 262144;

/// Output rows that share a strip: enough work for a task, and the strip stays in the first-level
/// cache where a row allows it.
std::int64_t rows_of_strip(const ConvGeometry& g) noexcept {
  const std::int64_t row_work =
      std::max<std::int64_t>(1, cpu::work_of({g.out[2], g.cout, g.taps(), g.cin}));
  const std::int64_t row_elements = std::max<std::int64_t>(1, g.in[2] * g.cin * g.stride[1]);
  const std::int64_t for_work = kStripMultiplyAdds / row_work;
  const std::int64_t for_cache = kStripElements / row_elements;
  return std::clamp<std::int64_t>(std::min(for_work, for_cache), 1, g.out[1]);
}

std::int64_t width_of_strip(const ConvGeometry& g) noexcept {
  return (g.out[2] - 1) * g.stride[2] + g.kernel[2];
}

std::int64_t strip_elements(const ConvGeometry& g, std::int64_t rows) noexcept {
  return round_up(rows_needed(g, rows) * width_of_strip(g) * g.cin, 64);
}

}  // namespace

bool stem_fits(const ConvGeometry& g) noexcept {
  // Wide windows or dilation would copy far more than is used.
  return g.spatial <= 2 && g.groups == 1 && g.cin <= 4 && g.kernel[2] > 1 && g.kernel[2] <= 64 &&
         g.kernel[1] <= 64 && g.dilation[2] == 1 && g.dilation[1] <= 4 && g.out[2] <= (1 << 20) &&
         g.stride[1] <= 64 && g.stride[2] <= 2 * g.kernel[2];
}

StemStrips::StemStrips(const ConvGeometry& g, const ConvGeometry& widest) noexcept
    : geometry_(g), rows_(rows_of_strip(g)), width_(width_of_strip(g)) {
  // Narrower pictures would have higher strips: as high as the room made for the widest allows.
  const std::int64_t room = strip_elements(widest, rows_of_strip(widest));
  while (rows_ > 1 && strip_elements(g, rows_) > room) --rows_;
  elements_ = strip_elements(g, rows_);
}

cpu::RowGrid StemStrips::grid(std::pmr::memory_resource& memory) const {
  const ConvGeometry& g = geometry_;
  const auto taps = make_array<cpu::Tap>(memory, g.kernel[1]);
  for (std::size_t y = 0; y < taps.size(); ++y) {
    taps[y].y = static_cast<std::int32_t>(static_cast<std::int64_t>(y) * g.dilation[1]);
    taps[y].offset = taps[y].y * width_ * g.cin;
  }
  cpu::RowGrid a;
  a.taps = taps.data();
  a.tap_count = static_cast<std::int32_t>(taps.size());
  a.k = g.kernel[2] * g.cin;
  a.in_h = static_cast<std::int32_t>(rows_needed(g, rows_));
  a.in_w = static_cast<std::int32_t>(width_);
  a.grid_h = static_cast<std::int32_t>(g.out[1]);
  a.grid_w = static_cast<std::int32_t>(g.out[2]);
  a.step_y = static_cast<std::int32_t>(g.stride[1]);
  a.step_x = static_cast<std::int32_t>(g.stride[2]);
  a.in_x = g.cin, a.in_y = width_ * g.cin;
  a.out_x = g.cout, a.out_y = g.out[2] * g.cout;
  return a;
}

void StemStrips::fill(const std::byte* image, std::int64_t row, std::int64_t rows,
                      std::int64_t element_bytes, int padding, std::byte* strip) const noexcept {
  const std::int64_t image_row = geometry_.in[2] * geometry_.cin * element_bytes;
  fill(row, rows, element_bytes, padding, strip,
       [&](std::int64_t y, std::int64_t count, std::byte* to) {
         std::memcpy(to, image + y * image_row, static_cast<std::size_t>(count * element_bytes));
       });
}

}  // namespace skiff
