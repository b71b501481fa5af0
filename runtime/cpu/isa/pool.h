#pragma once

#include "runtime/cpu/isa/window.h"

namespace skiff::cpu {
namespace {

struct Maximum {
  static SKIFF_INLINE Vec start() { return splat(-__builtin_inff()); }
  static SKIFF_INLINE Vec join(Vec a, Vec b) { return largest_nan(a, b); }
  static SKIFF_INLINE Vec finish(Vec v, Vec) { return v; }
};

struct Mean {
  static SKIFF_INLINE Vec start() { return zero(); }
  static SKIFF_INLINE Vec join(Vec a, Vec b) { return add(a, b); }
  static SKIFF_INLINE Vec finish(Vec v, Vec count) { return div(v, count); }
};

/// NV vectors of channels of one output pixel. Rows are joined first, then the rows' results: the
/// mean of a large window keeps its accuracy.
template <typename Reduction, int NV, typename Lanes>
SKIFF_INLINE void pool_pixel(const WindowArgs& a, const Bounds& bounds, const Window<float>& window,
                             Vec count, std::int64_t out, std::int64_t c, Lanes lanes) {
  Vec total[NV];
  for (int v = 0; v < NV; ++v) total[v] = Reduction::start();
  for (int ky = window.rows.begin; ky < window.rows.end; ++ky) {
    Vec line[NV];
    for (int v = 0; v < NV; ++v) line[v] = Reduction::start();
    const float* x = window.at(a, ky, window.columns.begin) + c;
    const std::int64_t step = a.dilation_w * a.in_pixel;
    for (int kx = window.columns.begin; kx < window.columns.end; ++kx, x += step)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) line[v] = Reduction::join(line[v], load(x + v * kLanes, lanes));
    for (int v = 0; v < NV; ++v) total[v] = Reduction::join(total[v], line[v]);
  }
  for (int v = 0; v < NV; ++v)
    put(a, bounds, Reduction::finish(total[v], count), out + c + v * kLanes, lanes);
}

/// How many positions of the window count for a mean; with padding, those that lie in the padded
/// input (windows of ceil mode may reach beyond it).
float window_count(const WindowArgs& a, const Window<float>& window) {
  Range rows = window.rows, columns = window.columns;
  if (a.count_padding) {
    rows = inside_range(window.top + a.pad_top, a.dilation_h, a.kernel_h,
                        a.in_h + a.pad_top + a.pad_bottom);
    columns = inside_range(window.left + a.pad_left, a.dilation_w, a.kernel_w,
                           a.in_w + a.pad_left + a.pad_right);
  }
  const std::int64_t count =
      static_cast<std::int64_t>(rows.end - rows.begin) * (columns.end - columns.begin);
  return count > 0 ? static_cast<float>(count) : 1.0f;
}

template <typename Reduction>
void pool(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  const Bounds bounds = bounds_of(Epilogue{});
  for (std::int64_t at = begin; at < end; ++at) {
    const Row<float> row = row_at(a, a.input, at);
    for (std::int32_t ox = 0; ox < a.out_w; ++ox) {
      const Window<float> window = window_at(a, row, ox);
      const Vec count = splat(window_count(a, window));
      const std::int64_t out = row.out + ox * a.out_pixel;
      std::int64_t c = 0;
      for (; c + 4 * kLanes <= a.channels; c += 4 * kLanes)
        pool_pixel<Reduction, 4>(a, bounds, window, count, out, c, AllLanes{});
      for (; c < a.channels; c += kLanes)
        pool_pixel<Reduction, 1>(a, bounds, window, count, out, c, lanes_before(c, a.channels));
    }
  }
}

void max_pool(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  pool<Maximum>(a, begin, end);
}

void average_pool(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  pool<Mean>(a, begin, end);
}

}  // namespace
}  // namespace skiff::cpu
