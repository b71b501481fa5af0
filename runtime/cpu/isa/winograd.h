#pragma once

#include "runtime/cpu/isa/activation.h"

// The transforms of Winograd's convolution F(4x4, 3x3) (Lavin and Gray 2016, interpolation points
// 0, 1, -1, 2, -2 and infinity). A tile of 4x4 outputs is A^T [(G w G^T) . (B^T x B)] A.
namespace skiff::cpu {
namespace {

constexpr int kTile = 4, kPatch = 6;

/// o = B^T d, element by element of six vectors.
SKIFF_INLINE void winograd_row_in(const Vec* d, Vec* o) {
  const Vec four = splat(4), less_four = splat(-4), less_five = splat(-5);
  const Vec a = fma(less_four, d[2], d[4]), b = fma(less_four, d[1], d[3]);
  const Vec c = sub(d[4], d[2]), half = sub(d[3], d[1]), e = add(half, half);
  o[0] = fma(four, d[0], fma(less_five, d[2], d[4]));
  o[1] = add(a, b);
  o[2] = sub(a, b);
  o[3] = add(c, e);
  o[4] = sub(c, e);
  o[5] = fma(four, d[1], fma(less_five, d[3], d[5]));
}

/// y = A^T m.
SKIFF_INLINE void winograd_row_out(const Vec* m, Vec* y) {
  const Vec s = add(m[1], m[2]), q = sub(m[1], m[2]);
  const Vec u = add(m[3], m[4]), w = sub(m[3], m[4]);
  y[0] = add(m[0], add(s, u));
  y[1] = fma(splat(2), w, q);
  y[2] = fma(splat(4), u, s);
  y[3] = add(fma(splat(8), w, q), m[5]);
}

/// o = G g: three vectors to six.
SKIFF_INLINE void winograd_row_weights(const Vec* g, Vec* o) {
  const Vec sixth = splat(-1.0f / 6), small = splat(1.0f / 24), large = splat(1.0f / 6);
  const Vec sum = mul(sixth, add(g[0], g[2])), middle = mul(sixth, g[1]);
  const Vec ends = fma(large, g[2], mul(small, g[0])), twelfth = mul(splat(1.0f / 12), g[1]);
  o[0] = mul(splat(0.25f), g[0]);
  o[1] = add(sum, middle);
  o[2] = sub(sum, middle);
  o[3] = add(ends, twelfth);
  o[4] = sub(ends, twelfth);
  o[5] = g[2];
}

struct WinogradTile {
  std::int64_t image;
  std::int32_t y, x;  ///< its first output

  WinogradTile(const WinogradArgs& a, std::int64_t tile) {
    const std::int64_t row = tile / a.tiles_w;
    x = static_cast<std::int32_t>(tile - row * a.tiles_w) * kTile;
    image = row / a.tiles_h;
    y = static_cast<std::int32_t>(row - image * a.tiles_h) * kTile;
  }
};

template <typename Lanes>
SKIFF_INLINE void winograd_patch(const float* const (&from)[kPatch][kPatch], std::int64_t c,
                                 float* to, std::int64_t step, Lanes lanes) {
  Vec half[kPatch][kPatch];  // [column][row of B^T d]
#pragma GCC unroll 6
  for (int j = 0; j < kPatch; ++j) {
    Vec d[kPatch];
#pragma GCC unroll 6
    for (int i = 0; i < kPatch; ++i) d[i] = load(from[i][j] + c, lanes);
    winograd_row_in(d, half[j]);
  }
#pragma GCC unroll 6
  for (int i = 0; i < kPatch; ++i) {
    Vec d[kPatch], o[kPatch];
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) d[j] = half[j][i];
    winograd_row_in(d, o);
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) store(to + (i * kPatch + j) * step + c, o[j], lanes);
  }
}

void winograd_input(const WinogradArgs& a, std::int64_t begin, std::int64_t end, float* to,
                    std::int64_t step) {
  for (std::int64_t tile = begin; tile < end; ++tile, to += a.cin) {
    const WinogradTile at(a, tile);
    const float* image = a.input + at.image * a.in_h * a.in_w * a.cin;
    const float* from[kPatch][kPatch];
    for (int i = 0; i < kPatch; ++i)
      for (int j = 0; j < kPatch; ++j) {
        const std::int32_t y = at.y - a.pad_top + i, x = at.x - a.pad_left + j;
        from[i][j] = inside(y, a.in_h) && inside(x, a.in_w)
                         ? image + (static_cast<std::int64_t>(y) * a.in_w + x) * a.cin
                         : a.zeros;
      }
    std::int64_t c = 0;
    for (; c + kLanes <= a.cin; c += kLanes) winograd_patch(from, c, to, step, AllLanes{});
    if (c < a.cin) winograd_patch(from, c, to, step, lanes_before(c, a.cin));
  }
}

/// One vector of output channels of a tile: 36 products to the outputs that exist.
template <typename Lanes>
SKIFF_INLINE void winograd_outputs(const WinogradArgs& a, const Bounds& bounds, const float* from,
                                   std::int64_t step, std::int64_t out, int rows, int columns,
                                   Vec bias, Lanes lanes) {
  Vec half[kPatch][kTile];
#pragma GCC unroll 6
  for (int j = 0; j < kPatch; ++j) {
    Vec m[kPatch];
#pragma GCC unroll 6
    for (int i = 0; i < kPatch; ++i) m[i] = load(from + (i * kPatch + j) * step);
    winograd_row_out(m, half[j]);
  }
  Vec result[kTile][kTile];
#pragma GCC unroll 4
  for (int i = 0; i < kTile; ++i) {
    Vec m[kPatch];
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) m[j] = half[j][i];
    winograd_row_out(m, result[i]);
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const std::int64_t to = out + (static_cast<std::int64_t>(i) * a.out_w + j) * a.cout;
      Vec value = add(result[i][j], bias);
      if (a.residual != nullptr) value = add(value, load(a.residual + to, lanes));
      store(a.output + to, clamp(value, bounds), lanes);
    }
}

void winograd_output(const WinogradArgs& a, std::int64_t begin, std::int64_t end,
                     std::int64_t column, std::int64_t columns, const float* from,
                     std::int64_t width, std::int64_t step) {
  const Bounds bounds = bounds_of(a.epilogue);
  for (std::int64_t tile = begin; tile < end; ++tile, from += width) {
    const WinogradTile at(a, tile);
    const int rows = a.out_h - at.y < kTile ? a.out_h - at.y : kTile;
    const int wide = a.out_w - at.x < kTile ? a.out_w - at.x : kTile;
    const std::int64_t out = ((at.image * a.out_h + at.y) * a.out_w + at.x) * a.cout + column;
    const auto one = [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
      const Vec bias = a.bias == nullptr ? zero() : load(a.bias + column + c, lanes);
      winograd_outputs(a, bounds, from + c, step, out + c, rows, wide, bias, lanes);
    };
    std::int64_t c = 0;
    for (; c + kLanes <= columns; c += kLanes) one(c, AllLanes{});
    if (c < columns) one(c, lanes_before(c, columns));
    if (!bounds.later) continue;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < wide; ++j) {
        float* y = a.output + out + (static_cast<std::int64_t>(i) * a.out_w + j) * a.cout;
        activate(a.epilogue, y, y, columns);
      }
  }
}

void winograd_weights(const float* rows, std::int64_t cin, std::int64_t columns, float* to,
                      std::int64_t width, std::int64_t step) {
  for (std::int64_t c = 0; c < cin; ++c, to += width) {
    Vec half[3][kPatch];
    for (int j = 0; j < 3; ++j) {
      Vec g[3];
      for (int i = 0; i < 3; ++i) {
        float values[kLanes] = {};
        for (std::int64_t n = 0; n < columns; ++n)
          values[n] = rows[((n * 3 + i) * 3 + j) * cin + c];
        g[i] = load(values);
      }
      winograd_row_weights(g, half[j]);
    }
    for (int i = 0; i < kPatch; ++i) {
      const Vec g[3] = {half[0][i], half[1][i], half[2][i]};
      Vec o[kPatch];
      winograd_row_weights(g, o);
      for (int j = 0; j < kPatch; ++j) store(to + (i * kPatch + j) * step, o[j]);
    }
  }
}

}  // namespace
}  // namespace skiff::cpu
