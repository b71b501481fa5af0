#pragma once

#include "runtime/cpu/isa/integers.h"
#include "runtime/cpu/isa/window.h"

namespace skiff::cpu {
namespace {

/// Depthwise convolution of floats: what its loops ask of the operands.
struct FloatWindows {
  using Input = float;
  static constexpr bool kPadded = false;  ///< positions outside are left out where that is simpler
  const WindowArgs& a;
  const Bounds bounds;

  explicit FloatWindows(const WindowArgs& args) : a(args), bounds(bounds_of(args.epilogue)) {}
  const float* input() const { return a.input; }
  const float* outside() const { return a.zeros; }
  template <typename Lanes>
  SKIFF_INLINE Vec read(const float* from, Lanes lanes) const {
    return load(from, lanes);
  }

  /// Channels from c on.
  struct Columns {};
  template <typename Lanes>
  SKIFF_INLINE Columns columns(std::int64_t, Lanes) const {
    return {};
  }
  template <typename Lanes>
  SKIFF_INLINE Vec start(std::int64_t c, Lanes lanes) const {
    return a.bias == nullptr ? zero() : load(a.bias + c, lanes);
  }
  template <typename Lanes>
  SKIFF_INLINE void put(const Columns&, Vec value, std::int64_t at, Lanes lanes) const {
    skiff::cpu::put(a, bounds, value, at, lanes);
  }
  bool activates_later() const { return bounds.later; }
  void activate_later(std::int64_t at) const {
    activate(a.epilogue, a.output + at, a.output + at, a.channels);
  }
};

/// The same of 8-bit integers.
struct IntegerWindows {
  using Input = std::uint8_t;
  static constexpr bool kPadded = true;  ///< every position counts: starts have all weights in them
  const IntegerWindowArgs& a;
  const std::uint8_t flip;

  explicit IntegerWindows(const IntegerWindowArgs& args) : a(args), flip(flip_of(args.is_signed)) {}
  const std::uint8_t* input() const { return a.input; }
  const std::uint8_t* outside() const { return a.padding; }
  template <typename Lanes>
  SKIFF_INLINE Vec read(const std::uint8_t* from, Lanes lanes) const {
    return load_bytes(from, flip, lanes);
  }

  using Columns = Scaling;
  template <typename Lanes>
  SKIFF_INLINE Columns columns(std::int64_t c, Lanes lanes) const {
    return Scaling(a.result, c, counted(lanes));
  }
  template <typename Lanes>
  SKIFF_INLINE Vec start(std::int64_t c, Lanes lanes) const {
    return load(a.starts + c, lanes);
  }
  template <typename Lanes>
  SKIFF_INLINE void put(const Columns& columns, Vec sums, std::int64_t at, Lanes lanes) const {
    put_result(a.result, columns.apply(sums), a.output, at, counted(lanes));
  }
  bool activates_later() const { return !a.result.bytes && bounds_of(a.result.epilogue).later; }
  void activate_later(std::int64_t at) const {
    float* values = static_cast<float*>(a.output) + at;
    activate(a.result.epilogue, values, values, a.channels);
  }
};

/// PX neighbouring outputs of a row at once, so that weights and overlapping inputs are loaded
/// once.
template <typename Form, int KH, int KW, int S, int PX>
struct DepthwiseBlock {
  using T = typename Form::Input;
  static constexpr int kInputs = (PX - 1) * S + KW;
  const T* from[KH][kInputs];
  int row_begin, row_end;  // kernel rows inside the input

  void locate(const Form& form, const T* image, std::int32_t oy, std::int32_t ox) {
    const WindowGrid& a = form.a;
    const Range rows = Form::kPadded ? Range{0, KH} : rows_of(a, oy);
    row_begin = rows.begin;
    row_end = rows.end;
    const std::int32_t left = ox * S - a.pad_left;
    for (int ky = row_begin; ky < row_end; ++ky) {
      if (Form::kPadded && !inside(oy * S - a.pad_top + ky, a.in_h)) {
        for (int j = 0; j < kInputs; ++j) from[ky][j] = form.outside();
        continue;
      }
      const T* line = image + line_at(a, oy * S - a.pad_top + ky);
      if (left >= 0 && left + kInputs <= a.in_w) {
        for (int j = 0; j < kInputs; ++j) from[ky][j] = line + (left + j) * a.in_pixel;
      } else {
        for (int j = 0; j < kInputs; ++j)
          from[ky][j] = inside(left + j, a.in_w) ? line + (left + j) * a.in_pixel : form.outside();
      }
    }
  }

  template <typename Lanes>
  SKIFF_INLINE void channels(const Form& form, std::int64_t out, std::int64_t c,
                             Lanes lanes) const {
    const auto& a = form.a;
    const auto columns = form.columns(c, lanes);
    Vec acc[PX];
    const Vec start = form.start(c, lanes);
#pragma GCC unroll 4
    for (int p = 0; p < PX; ++p) acc[p] = start;
    const float* weights = a.weights + c * (KH * KW);
    for (int ky = row_begin; ky < row_end; ++ky) {
      Vec w[KW];
#pragma GCC unroll 5
      for (int kx = 0; kx < KW; ++kx) w[kx] = load(weights + (ky * KW + kx) * kLanes);
#pragma GCC unroll 16
      for (int j = 0; j < kInputs; ++j) {
        const Vec value = form.read(from[ky][j] + c, lanes);
#pragma GCC unroll 4
        for (int p = 0; p < PX; ++p)
          if (j - p * S >= 0 && j - p * S < KW) acc[p] = fma(value, w[j - p * S], acc[p]);
      }
    }
#pragma GCC unroll 4
    for (int p = 0; p < PX; ++p) form.put(columns, acc[p], out + p * a.out_pixel + c, lanes);
  }

  void run(const Form& form, std::int64_t out) const {
    const std::int64_t channel_count = form.a.channels;
    std::int64_t c = 0;
    for (; c + kLanes <= channel_count; c += kLanes) channels(form, out, c, AllLanes{});
    if (c < channel_count) channels(form, out, c, lanes_before(c, channel_count));
  }
};

template <int KH, int KW, int S, int PX, typename Form>
void depthwise_block(const Form& form, const Row<typename Form::Input>& row, std::int32_t ox) {
  DepthwiseBlock<Form, KH, KW, S, PX> block;
  block.locate(form, row.image, row.y, ox);
  block.run(form, row.out + ox * form.a.out_pixel);
}

/// Blocks of four outputs whose windows lie inside the input's width: a vector of channels at a
/// time, its weights in registers along the row.
template <typename Form, int KH, int KW, int S>
struct DepthwiseRun {
  using T = typename Form::Input;
  const T* line[KH];      ///< pixel under the first window position of the first output
  std::int64_t step[KH];  ///< elements from pixel to pixel; 0 in the rows of padding
  std::int64_t out;       ///< of the first output
  std::int32_t blocks;

  DepthwiseRun(const Form& form, const Row<T>& row, std::int32_t ox, std::int32_t count)
      : out(row.out + ox * form.a.out_pixel), blocks(count) {
    const WindowGrid& a = form.a;
    const std::int32_t top = row.y * S - a.pad_top, left = ox * S - a.pad_left;
    for (int ky = 0; ky < KH; ++ky) {
      const bool valid = inside(top + ky, a.in_h);
      line[ky] = valid ? row.image + line_at(a, top + ky) + left * a.in_pixel : form.outside();
      step[ky] = valid ? a.in_pixel : 0;
    }
  }

  template <typename Lanes>
  SKIFF_INLINE void channels(const Form& form, std::int64_t c, Lanes lanes) const {
    const auto& a = form.a;
    constexpr int kInputs = 3 * S + KW;
    Vec w[KH * KW];
#pragma GCC unroll 25
    for (int i = 0; i < KH * KW; ++i) w[i] = load(a.weights + c * (KH * KW) + i * kLanes);
    const auto columns = form.columns(c, lanes);
    const Vec start = form.start(c, lanes);
    const T* from[KH];
    for (int ky = 0; ky < KH; ++ky) from[ky] = line[ky] + c;
    std::int64_t to = out + c;
    for (std::int32_t block = 0; block < blocks; ++block, to += 4 * a.out_pixel) {
      Vec acc[4] = {start, start, start, start};
#pragma GCC unroll 5
      for (int ky = 0; ky < KH; ++ky) {
        const T* x = from[ky];
#pragma GCC unroll 16
        for (int j = 0; j < kInputs; ++j, x += step[ky]) {
          const Vec value = form.read(x, lanes);
#pragma GCC unroll 4
          for (int p = 0; p < 4; ++p)
            if (j - p * S >= 0 && j - p * S < KW)
              acc[p] = fma(value, w[ky * KW + j - p * S], acc[p]);
        }
        from[ky] += 4 * S * step[ky];
      }
#pragma GCC unroll 4
      for (int p = 0; p < 4; ++p) form.put(columns, acc[p], to + p * a.out_pixel, lanes);
    }
  }

  void run(const Form& form) const {
    const std::int64_t channel_count = form.a.channels;
    std::int64_t c = 0;
    for (; c + kLanes <= channel_count; c += kLanes) channels(form, c, AllLanes{});
    if (c < channel_count) channels(form, c, lanes_before(c, channel_count));
  }
};

template <int KH, int KW, int S, typename Form>
void depthwise_row(const Form& form, const Row<typename Form::Input>& row) {
  const WindowGrid& a = form.a;
  const auto interior = [&](std::int32_t ox) {
    const std::int32_t left = ox * S - a.pad_left;
    return left >= 0 && left + 3 * S + KW <= a.in_w;
  };
  std::int32_t ox = 0;
  while (ox + 4 <= a.out_w) {
    std::int32_t count = 0;
    while (ox + 4 * count + 4 <= a.out_w && interior(ox + 4 * count)) ++count;
    if (count > 0) DepthwiseRun<Form, KH, KW, S>(form, row, ox, count).run(form);
    ox += 4 * count;
    if (ox + 4 > a.out_w || count > 0) continue;
    depthwise_block<KH, KW, S, 4>(form, row, ox);
    ox += 4;
  }
  if constexpr (Form::kPadded) {  // fewer kinds of blocks: room for code is short
    for (; ox < a.out_w; ++ox) depthwise_block<KH, KW, S, 1>(form, row, ox);
  } else {
    switch (a.out_w - ox) {
      case 3:
        return depthwise_block<KH, KW, S, 3>(form, row, ox);
      case 2:
        return depthwise_block<KH, KW, S, 2>(form, row, ox);
      case 1:
        return depthwise_block<KH, KW, S, 1>(form, row, ox);
      default:
        return;
    }
  }
}

template <int KH, int KW, int S, typename Form>
void depthwise_fixed(const Form& form, std::int64_t begin, std::int64_t end) {
  for (std::int64_t at = begin; at < end; ++at) {
    const auto row = row_at(form.a, form.input(), at);
    depthwise_row<KH, KW, S>(form, row);
    if (!form.activates_later()) continue;
    for (std::int32_t ox = 0; ox < form.a.out_w; ++ox)
      form.activate_later(row.out + ox * form.a.out_pixel);
  }
}

/// NV vectors of channels of one output pixel, any window.
template <int NV, typename Form, typename Lanes>
SKIFF_INLINE void depthwise_pixel(const Form& form, const Window<typename Form::Input>& window,
                                  std::int64_t out, std::int64_t c, Lanes lanes) {
  const auto& a = form.a;
  Vec acc[NV];
  for (int v = 0; v < NV; ++v) acc[v] = form.start(c + v * kLanes, lanes);
  const std::int64_t taps = static_cast<std::int64_t>(a.kernel_h) * a.kernel_w;
  const float* weights = a.weights + c * taps;
  const Range rows = Form::kPadded ? Range{0, a.kernel_h} : window.rows;
  const Range columns = Form::kPadded ? Range{0, a.kernel_w} : window.columns;
  for (int ky = rows.begin; ky < rows.end; ++ky)
    for (int kx = columns.begin; kx < columns.end; ++kx) {
      const bool is_inside = !Form::kPadded || (window.rows.holds(ky) && window.columns.holds(kx));
      const auto* x = (is_inside ? window.at(a, ky, kx) : form.outside()) + c;
      const float* w = weights + (static_cast<std::int64_t>(ky) * a.kernel_w + kx) * kLanes;
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v)
        acc[v] = fma(form.read(x + v * kLanes, lanes), load(w + v * taps * kLanes), acc[v]);
    }
  for (int v = 0; v < NV; ++v)
    form.put(form.columns(c + v * kLanes, lanes), acc[v], out + c + v * kLanes, lanes);
}

template <typename Form>
void depthwise_any(const Form& form, std::int64_t begin, std::int64_t end) {
  const WindowGrid& a = form.a;
  for (std::int64_t at = begin; at < end; ++at) {
    const auto row = row_at(a, form.input(), at);
    for (std::int32_t ox = 0; ox < a.out_w; ++ox) {
      const auto window = window_at(a, row, ox);
      const std::int64_t out = row.out + ox * a.out_pixel;
      std::int64_t c = 0;
      for (; c + 4 * kLanes <= a.channels; c += 4 * kLanes)
        depthwise_pixel<4>(form, window, out, c, AllLanes{});
      for (; c < a.channels; c += kLanes)
        depthwise_pixel<1>(form, window, out, c, lanes_before(c, a.channels));
      if (form.activates_later()) form.activate_later(out);
    }
  }
}

/// Whether the loops for square windows of `size` and equal strides take it.
SKIFF_INLINE bool is_plain(const WindowGrid& a, int size, int stride) {
  return a.dilation_h == 1 && a.dilation_w == 1 && a.stride_h == stride && a.stride_w == stride &&
         a.kernel_h == size && a.kernel_w == size;
}

void depthwise(const WindowArgs& args, std::int64_t begin, std::int64_t end) {
  const FloatWindows form(args);
  const bool padded = args.zeros != nullptr;
  if (padded && is_plain(args, 3, 1)) return depthwise_fixed<3, 3, 1>(form, begin, end);
  if (padded && is_plain(args, 3, 2)) return depthwise_fixed<3, 3, 2>(form, begin, end);
  if (padded && is_plain(args, 5, 1)) return depthwise_fixed<5, 5, 1>(form, begin, end);
  if (padded && is_plain(args, 5, 2)) return depthwise_fixed<5, 5, 2>(form, begin, end);
  depthwise_any(form, begin, end);
}

/// SSE2 alone, which hardly any processor is left with, does without.
constexpr bool kWorthItsRoom = SKIFF_REGISTERS == 32 || kLanes > 4;

void integer_depthwise(const IntegerWindowArgs& args, std::int64_t begin, std::int64_t end) {
  const IntegerWindows form(args);
  if constexpr (kWorthItsRoom) {
    if (is_plain(args, 3, 1)) return depthwise_fixed<3, 3, 1>(form, begin, end);
    if (is_plain(args, 3, 2)) return depthwise_fixed<3, 3, 2>(form, begin, end);
  }
  depthwise_any(form, begin, end);
}

}  // namespace
}  // namespace skiff::cpu
