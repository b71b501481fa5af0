#pragma once

#include "runtime/cpu/isa/activation.h"
#include "runtime/cpu/isa/window.h"

namespace skiff::cpu {
namespace {

/// PX neighbouring outputs of a row at once, so that weights and overlapping inputs are loaded
/// once.
template <int KH, int KW, int S, int PX>
struct DepthwiseBlock {
  static constexpr int kInputs = (PX - 1) * S + KW;
  const float* from[KH][kInputs];
  int row_begin, row_end;  // kernel rows inside the input

  void locate(const WindowArgs& a, const float* image, std::int32_t oy, std::int32_t ox) {
    const Range rows = rows_of(a, oy);
    row_begin = rows.begin;
    row_end = rows.end;
    const std::int32_t left = ox * S - a.pad_left;
    for (int ky = row_begin; ky < row_end; ++ky) {
      const float* line = image + line_at(a, oy * S - a.pad_top + ky);
      if (left >= 0 && left + kInputs <= a.in_w) {
        for (int j = 0; j < kInputs; ++j) from[ky][j] = line + (left + j) * a.in_pixel;
      } else {
        for (int j = 0; j < kInputs; ++j)
          from[ky][j] = inside(left + j, a.in_w) ? line + (left + j) * a.in_pixel : a.zeros;
      }
    }
  }

  template <typename Lanes>
  SKIFF_INLINE void channels(const WindowArgs& a, const Bounds& bounds, std::int64_t out,
                             std::int64_t c, Lanes lanes) const {
    Vec acc[PX];
    const Vec start = a.bias == nullptr ? zero() : load(a.bias + c, lanes);
#pragma GCC unroll 4
    for (int p = 0; p < PX; ++p) acc[p] = start;
    const float* weights = a.weights + c * (KH * KW);
    for (int ky = row_begin; ky < row_end; ++ky) {
      Vec w[KW];
#pragma GCC unroll 5
      for (int kx = 0; kx < KW; ++kx) w[kx] = load(weights + (ky * KW + kx) * kLanes);
#pragma GCC unroll 16
      for (int j = 0; j < kInputs; ++j) {
        const Vec value = load(from[ky][j] + c, lanes);
#pragma GCC unroll 4
        for (int p = 0; p < PX; ++p)
          if (j - p * S >= 0 && j - p * S < KW) acc[p] = fma(value, w[j - p * S], acc[p]);
      }
    }
#pragma GCC unroll 4
    for (int p = 0; p < PX; ++p) put(a, bounds, acc[p], out + p * a.out_pixel + c, lanes);
  }

  void run(const WindowArgs& a, const Bounds& bounds, std::int64_t out) const {
    std::int64_t c = 0;
    for (; c + kLanes <= a.channels; c += kLanes) channels(a, bounds, out, c, AllLanes{});
    if (c < a.channels) channels(a, bounds, out, c, lanes_before(c, a.channels));
  }
};

template <int KH, int KW, int S, int PX>
void depthwise_block(const WindowArgs& a, const Bounds& bounds, const Row& row, std::int32_t ox) {
  DepthwiseBlock<KH, KW, S, PX> block;
  block.locate(a, row.image, row.y, ox);
  block.run(a, bounds, row.out + ox * a.out_pixel);
}

/// Blocks of four outputs whose windows lie inside the input's width: a vector of channels at a
/// time, its weights in registers along the row.
template <int KH, int KW, int S>
struct DepthwiseRun {
  const float* line[KH];  ///< pixel under the first window position of the first output
  std::int64_t step[KH];  ///< elements from pixel to pixel; 0 in the rows of padding
  std::int64_t out;       ///< of the first output
  std::int32_t blocks;

  DepthwiseRun(const WindowArgs& a, const Row& row, std::int32_t ox, std::int32_t count)
      : out(row.out + ox * a.out_pixel), blocks(count) {
    const std::int32_t top = row.y * S - a.pad_top, left = ox * S - a.pad_left;
    for (int ky = 0; ky < KH; ++ky) {
      const bool valid = inside(top + ky, a.in_h);
      line[ky] = valid ? row.image + line_at(a, top + ky) + left * a.in_pixel : a.zeros;
      step[ky] = valid ? a.in_pixel : 0;
    }
  }

  template <typename Lanes>
  SKIFF_INLINE void channels(const WindowArgs& a, const Bounds& bounds, std::int64_t c,
                             Lanes lanes) const {
    constexpr int kInputs = 3 * S + KW;
    Vec w[KH * KW];
#pragma GCC unroll 25
    for (int i = 0; i < KH * KW; ++i) w[i] = load(a.weights + c * (KH * KW) + i * kLanes);
    const Vec start = a.bias == nullptr ? zero() : load(a.bias + c, lanes);
    const float* from[KH];
    for (int ky = 0; ky < KH; ++ky) from[ky] = line[ky] + c;
    std::int64_t to = out + c;
    for (std::int32_t block = 0; block < blocks; ++block, to += 4 * a.out_pixel) {
      Vec acc[4] = {start, start, start, start};
#pragma GCC unroll 5
      for (int ky = 0; ky < KH; ++ky) {
        const float* x = from[ky];
#pragma GCC unroll 16
        for (int j = 0; j < kInputs; ++j, x += step[ky]) {
          const Vec value = load(x, lanes);
#pragma GCC unroll 4
          for (int p = 0; p < 4; ++p)
            if (j - p * S >= 0 && j - p * S < KW)
              acc[p] = fma(value, w[ky * KW + j - p * S], acc[p]);
        }
        from[ky] += 4 * S * step[ky];
      }
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) put(a, bounds, acc[p], to + p * a.out_pixel, lanes);
    }
  }

  void run(const WindowArgs& a, const Bounds& bounds) const {
    std::int64_t c = 0;
    for (; c + kLanes <= a.channels; c += kLanes) channels(a, bounds, c, AllLanes{});
    if (c < a.channels) channels(a, bounds, c, lanes_before(c, a.channels));
  }
};

template <int KH, int KW, int S>
void depthwise_row(const WindowArgs& a, const Bounds& bounds, const Row& row) {
  const auto interior = [&](std::int32_t ox) {
    const std::int32_t left = ox * S - a.pad_left;
    return left >= 0 && left + 3 * S + KW <= a.in_w;
  };
  std::int32_t ox = 0;
  while (ox + 4 <= a.out_w) {
    std::int32_t count = 0;
    while (ox + 4 * count + 4 <= a.out_w && interior(ox + 4 * count)) ++count;
    if (count > 0) DepthwiseRun<KH, KW, S>(a, row, ox, count).run(a, bounds);
    ox += 4 * count;
    if (ox + 4 > a.out_w || count > 0) continue;
    depthwise_block<KH, KW, S, 4>(a, bounds, row, ox);
    ox += 4;
  }
  switch (a.out_w - ox) {
    case 3:
      return depthwise_block<KH, KW, S, 3>(a, bounds, row, ox);
    case 2:
      return depthwise_block<KH, KW, S, 2>(a, bounds, row, ox);
    case 1:
      return depthwise_block<KH, KW, S, 1>(a, bounds, row, ox);
    default:
      return;
  }
}

template <int KH, int KW, int S>
void depthwise_fixed(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  const Bounds bounds = bounds_of(a.epilogue);
  for (std::int64_t at = begin; at < end; ++at) {
    const Row row = row_at(a, at);
    depthwise_row<KH, KW, S>(a, bounds, row);
    if (!bounds.later) continue;
    for (std::int32_t ox = 0; ox < a.out_w; ++ox) {
      float* pixel = a.output + row.out + ox * a.out_pixel;
      activate(a.epilogue, pixel, pixel, a.channels);
    }
  }
}

/// NV vectors of channels of one output pixel, any window.
template <int NV, typename Lanes>
SKIFF_INLINE void depthwise_pixel(const WindowArgs& a, const Bounds& bounds, const Window& window,
                                  std::int64_t out, std::int64_t c, Lanes lanes) {
  Vec acc[NV];
  for (int v = 0; v < NV; ++v)
    acc[v] = a.bias == nullptr ? zero() : load(a.bias + c + v * kLanes, lanes);
  const std::int64_t taps = static_cast<std::int64_t>(a.kernel_h) * a.kernel_w;
  const float* weights = a.weights + c * taps;
  for (int ky = window.rows.begin; ky < window.rows.end; ++ky)
    for (int kx = window.columns.begin; kx < window.columns.end; ++kx) {
      const float* x = window.at(a, ky, kx) + c;
      const float* w = weights + (static_cast<std::int64_t>(ky) * a.kernel_w + kx) * kLanes;
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v)
        acc[v] = fma(load(x + v * kLanes, lanes), load(w + v * taps * kLanes), acc[v]);
    }
  for (int v = 0; v < NV; ++v) put(a, bounds, acc[v], out + c + v * kLanes, lanes);
}

void depthwise_any(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  const Bounds bounds = bounds_of(a.epilogue);
  for (std::int64_t at = begin; at < end; ++at) {
    const Row row = row_at(a, at);
    for (std::int32_t ox = 0; ox < a.out_w; ++ox) {
      const Window window = window_at(a, row, ox);
      const std::int64_t out = row.out + ox * a.out_pixel;
      std::int64_t c = 0;
      for (; c + 4 * kLanes <= a.channels; c += 4 * kLanes)
        depthwise_pixel<4>(a, bounds, window, out, c, AllLanes{});
      for (; c < a.channels; c += kLanes)
        depthwise_pixel<1>(a, bounds, window, out, c, lanes_before(c, a.channels));
      if (bounds.later) activate(a.epilogue, a.output + out, a.output + out, a.channels);
    }
  }
}

void depthwise(const WindowArgs& a, std::int64_t begin, std::int64_t end) {
  const bool plain = a.dilation_h == 1 && a.dilation_w == 1 && a.stride_h == a.stride_w &&
                     a.kernel_h == a.kernel_w && a.zeros != nullptr;
  if (plain && a.kernel_h == 3 && a.stride_h == 1) return depthwise_fixed<3, 3, 1>(a, begin, end);
  if (plain && a.kernel_h == 3 && a.stride_h == 2) return depthwise_fixed<3, 3, 2>(a, begin, end);
  if (plain && a.kernel_h == 5 && a.stride_h == 1) return depthwise_fixed<5, 5, 1>(a, begin, end);
  if (plain && a.kernel_h == 5 && a.stride_h == 2) return depthwise_fixed<5, 5, 2>(a, begin, end);
  depthwise_any(a, begin, end);
}

}  // namespace
}  // namespace skiff::cpu
