#pragma once

#include "runtime/cpu/isa/activation.h"

// The transforms of Winograd's convolutions F(2x2, 3x3) and F(4x4, 3x3) (Lavin and Gray 2016,
// interpolation points 0, 1, -1, for the larger one 2 and -2 too, and infinity). A tile of outputs
// is A^T [(G w G^T) . (B^T x B)] A.
namespace skiff::cpu {
namespace {

/// The three one-dimensional transforms for tiles of `tile` outputs, element by element of vectors:
/// input o = B^T d, output y = A^T m, weights o = G g.
template <int tile>
struct WinogradRow;

template <>
struct WinogradRow<2> {
  SKIFF_INLINE static void input(const Vec* d, Vec* o) {
    o[0] = sub(d[0], d[2]);
    o[1] = add(d[1], d[2]);
    o[2] = sub(d[2], d[1]);
    o[3] = sub(d[1], d[3]);
  }
  SKIFF_INLINE static void output(const Vec* m, Vec* y) {
    y[0] = add(m[0], add(m[1], m[2]));
    y[1] = sub(sub(m[1], m[2]), m[3]);
  }
  SKIFF_INLINE static void weights(const Vec* g, Vec* o) {
    const Vec half = splat(0.5f);
    const Vec ends = mul(half, add(g[0], g[2])), middle = mul(half, g[1]);
    o[0] = g[0];
    o[1] = add(ends, middle);
    o[2] = sub(ends, middle);
    o[3] = g[2];
  }
};

template <>
struct WinogradRow<4> {
  SKIFF_INLINE static void input(const Vec* d, Vec* o) {
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
  SKIFF_INLINE static void output(const Vec* m, Vec* y) {
    const Vec s = add(m[1], m[2]), q = sub(m[1], m[2]);
    const Vec u = add(m[3], m[4]), w = sub(m[3], m[4]);
    y[0] = add(m[0], add(s, u));
    y[1] = fma(splat(2), w, q);
    y[2] = fma(splat(4), u, s);
    y[3] = add(fma(splat(8), w, q), m[5]);
  }
  SKIFF_INLINE static void weights(const Vec* g, Vec* o) {
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
};

template <int tile>
struct WinogradTile {
  std::int64_t image;
  std::int32_t y, x;  ///< its first output

  WinogradTile(const WinogradArgs& a, std::int64_t index) {
    const std::int64_t row = index / a.tiles_w;
    x = static_cast<std::int32_t>(index - row * a.tiles_w) * tile;
    image = row / a.tiles_h;
    y = static_cast<std::int32_t>(row - image * a.tiles_h) * tile;
  }
};

template <int tile, typename Lanes>
SKIFF_INLINE void winograd_patch(const float* const (&from)[tile + 2][tile + 2], std::int64_t c,
                                 float* to, std::int64_t step, Lanes lanes) {
  constexpr int kPatch = tile + 2;
  Vec half[kPatch][kPatch];  // [column][row of B^T d]
#pragma GCC unroll 6
  for (int j = 0; j < kPatch; ++j) {
    Vec d[kPatch];
#pragma GCC unroll 6
    for (int i = 0; i < kPatch; ++i) d[i] = load(from[i][j] + c, lanes);
    WinogradRow<tile>::input(d, half[j]);
  }
#pragma GCC unroll 6
  for (int i = 0; i < kPatch; ++i) {
    Vec d[kPatch], o[kPatch];
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) d[j] = half[j][i];
    WinogradRow<tile>::input(d, o);
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) store(to + (i * kPatch + j) * step + c, o[j], lanes);
  }
}

template <int tile>
void winograd_input(const WinogradArgs& a, std::int64_t begin, std::int64_t end, float* to,
                    std::int64_t step) {
  constexpr int kPatch = tile + 2;
  for (std::int64_t index = begin; index < end; ++index, to += a.cin) {
    const WinogradTile<tile> at(a, index);
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
    for (; c + kLanes <= a.cin; c += kLanes) winograd_patch<tile>(from, c, to, step, AllLanes{});
    if (c < a.cin) winograd_patch<tile>(from, c, to, step, lanes_before(c, a.cin));
  }
}

/// One vector of output channels of a tile: its products to the outputs that exist.
template <int tile, typename Lanes>
SKIFF_INLINE void winograd_outputs(const WinogradArgs& a, const Bounds& bounds, const float* from,
                                   std::int64_t step, std::int64_t out, int rows, int columns,
                                   Vec bias, Lanes lanes) {
  constexpr int kPatch = tile + 2;
  Vec half[kPatch][tile];
#pragma GCC unroll 6
  for (int j = 0; j < kPatch; ++j) {
    Vec m[kPatch];
#pragma GCC unroll 6
    for (int i = 0; i < kPatch; ++i) m[i] = load(from + (i * kPatch + j) * step);
    WinogradRow<tile>::output(m, half[j]);
  }
  Vec result[tile][tile];
#pragma GCC unroll 4
  for (int i = 0; i < tile; ++i) {
    Vec m[kPatch];
#pragma GCC unroll 6
    for (int j = 0; j < kPatch; ++j) m[j] = half[j][i];
    WinogradRow<tile>::output(m, result[i]);
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const std::int64_t to = out + (static_cast<std::int64_t>(i) * a.out_w + j) * a.cout;
      Vec value = add(result[i][j], bias);
      if (a.residual != nullptr) value = add(value, load(a.residual + to, lanes));
      store(a.output + to, clamp(value, bounds), lanes);
    }
}

template <int tile>
void winograd_output(const WinogradArgs& a, std::int64_t begin, std::int64_t end,
                     std::int64_t column, std::int64_t columns, const float* from,
                     std::int64_t width, std::int64_t step) {
  const Bounds bounds = bounds_of(a.epilogue);
  for (std::int64_t index = begin; index < end; ++index, from += width) {
    const WinogradTile<tile> at(a, index);
    const int rows = a.out_h - at.y < tile ? a.out_h - at.y : tile;
    const int wide = a.out_w - at.x < tile ? a.out_w - at.x : tile;
    const std::int64_t out = ((at.image * a.out_h + at.y) * a.out_w + at.x) * a.cout + column;
    const auto one = [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
      const Vec bias = a.bias == nullptr ? zero() : load(a.bias + column + c, lanes);
      winograd_outputs<tile>(a, bounds, from + c, step, out + c, rows, wide, bias, lanes);
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

template <int tile>
void winograd_weights(const float* rows, std::int64_t cin, std::int64_t columns, float* to,
                      std::int64_t width, std::int64_t step) {
  constexpr int kPatch = tile + 2;
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
      WinogradRow<tile>::weights(g, half[j]);
    }
    for (int i = 0; i < kPatch; ++i) {
      const Vec g[3] = {half[0][i], half[1][i], half[2][i]};
      Vec o[kPatch];
      WinogradRow<tile>::weights(g, o);
      for (int j = 0; j < kPatch; ++j) store(to + (i * kPatch + j) * step, o[j]);
    }
  }
}

template <int tile>
constexpr WinogradTable winograd_table = {winograd_input<tile>, winograd_output<tile>,
                                          winograd_weights<tile>};

}  // namespace
}  // namespace skiff::cpu
