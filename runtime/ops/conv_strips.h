#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory_resource>

#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/conv.h"

namespace skiff {

/// Few input channels: rows of the input are copied into padded strips, so that a row of the window
/// is one contiguous run of kernel width times channels.
bool stem_fits(const ConvGeometry& geometry) noexcept;

/// The strips of such a convolution.
class StemStrips {
 public:
  /// `widest`: the geometry at its largest shapes, whose strips are the largest.
  StemStrips(const ConvGeometry& geometry, const ConvGeometry& widest) noexcept;

  std::int64_t rows() const noexcept { return rows_; }  ///< of the result, that share a strip
  std::int64_t elements() const noexcept { return elements_; }
  /// Strips of one image.
  std::int64_t count() const noexcept { return ceil_div(geometry_.out[1], rows_); }

  /// The rows of a product over a strip: a tap a row of the window. Taps lie in `memory`.
  cpu::RowGrid grid(std::pmr::memory_resource& memory) const;

  /// Brings in what rows [row, row + rows) of the result need of an image; `padding` is every byte
  /// of what lies outside.
  void fill(const std::byte* image, std::int64_t row, std::int64_t rows, std::int64_t element_bytes,
            int padding, std::byte* strip) const noexcept;
  /// The same where bring(y, count, to) writes the first `count` elements of row y of the image.
  template <typename Bring>
  void fill(std::int64_t row, std::int64_t rows, std::int64_t element_bytes, int padding,
            std::byte* strip, const Bring& bring) const noexcept;

 private:
  ConvGeometry geometry_;
  std::int64_t rows_, width_, elements_;  // width: in pixels
};

template <typename Bring>
void StemStrips::fill(std::int64_t row, std::int64_t rows, std::int64_t element_bytes, int padding,
                      std::byte* strip, const Bring& bring) const noexcept {
  const ConvGeometry& g = geometry_;
  const std::int64_t left = std::min(g.pad_begin[2], width_);
  const std::int64_t middle = std::min(g.in[2], width_ - left);
  const auto bytes = [&](std::int64_t pixels) {
    return static_cast<std::size_t>(pixels * g.cin * element_bytes);
  };
  const std::int64_t top = row * g.stride[1] - g.pad_begin[1], height = rows_needed(g, rows);
  for (std::int64_t y = top; y < top + height; ++y, strip += bytes(width_)) {
    if (y < 0 || y >= g.in[1]) {
      std::memset(strip, padding, bytes(width_));
      continue;
    }
    std::memset(strip, padding, bytes(left));
    bring(y, middle * g.cin, strip + bytes(left));
    std::memset(strip + bytes(left + middle), padding, bytes(width_ - left - middle));
  }
}

}  // namespace skiff
