#pragma once

#include "runtime/cpu/isa/activation.h"

// What depthwise convolution and pooling share: which part of a window lies inside the input.
namespace skiff::cpu {
namespace {

struct Range {
  int begin, end;

  SKIFF_INLINE bool holds(int i) const { return i >= begin && i < end; }
};

/// Kernel positions i in [0, kernel) with 0 <= start + i * dilation < extent.
SKIFF_INLINE Range inside_range(std::int32_t start, std::int32_t dilation, std::int32_t kernel,
                                std::int32_t extent) {
  const std::int32_t first = start >= 0 ? 0 : (dilation - 1 - start) / dilation;
  const std::int32_t room = extent - start;
  const std::int32_t last = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  const std::int32_t end = last < kernel ? last : kernel;
  return {first < end ? first : end, end};
}

SKIFF_INLINE Range rows_of(const WindowGrid& a, std::int32_t oy) {
  return inside_range(oy * a.stride_h - a.pad_top, a.dilation_h, a.kernel_h, a.in_h);
}
SKIFF_INLINE Range columns_of(const WindowGrid& a, std::int32_t ox) {
  return inside_range(ox * a.stride_w - a.pad_left, a.dilation_w, a.kernel_w, a.in_w);
}

/// Elements from the start of an image to its row y, which is inside.
SKIFF_INLINE std::int64_t line_at(const WindowGrid& a, std::int64_t y) {
  const std::int64_t slot = a.in_slot + y;
  return (slot < a.in_ring ? slot : slot - a.in_ring) * a.in_w * a.in_pixel;
}

/// An output row: its image, its y and where it starts in the output.
template <typename T>
struct Row {
  const T* image;
  std::int64_t out;
  std::int32_t y;
};

template <typename T>
SKIFF_INLINE Row<T> row_at(const WindowGrid& a, const T* input, std::int64_t at) {
  const std::int64_t image = at / a.out_h;
  const std::int64_t pixels = static_cast<std::int64_t>(a.in_h) * a.in_w;
  return {input + image * pixels * a.in_pixel, at * a.out_w * a.out_pixel,
          static_cast<std::int32_t>(at - image * a.out_h)};
}

/// The window of one output pixel; at() is the input pixel of a position inside it.
template <typename T>
struct Window {
  const T* image;
  std::int32_t top, left;
  Range rows, columns;

  SKIFF_INLINE const T* at(const WindowGrid& a, int ky, int kx) const {
    const std::int64_t y = top + ky * a.dilation_h, x = left + kx * a.dilation_w;
    return image + line_at(a, y) + x * a.in_pixel;
  }
};

template <typename T>
SKIFF_INLINE Window<T> window_at(const WindowGrid& a, const Row<T>& row, std::int32_t ox) {
  return {row.image, row.y * a.stride_h - a.pad_top, ox * a.stride_w - a.pad_left,
          rows_of(a, row.y), columns_of(a, ox)};
}

/// Residual, clamp, store at `at` of the output.
template <typename Lanes>
SKIFF_INLINE void put(const WindowArgs& a, const Bounds& bounds, Vec value, std::int64_t at,
                      Lanes lanes) {
  if (a.residual != nullptr) value = add(value, load(a.residual + at, lanes));
  store(a.output + at, clamp(value, bounds), lanes);
}

}  // namespace
}  // namespace skiff::cpu
