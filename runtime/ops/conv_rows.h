#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "runtime/ops/conv.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/pixels.h"

namespace skiff {

/// Rows of an image that lie in memory: all of them, or some in a ring.
struct RowWindow {
  const void* base = nullptr;         ///< of float32, or where pixels are read of uint8
  std::int64_t first = 0, count = 0;  ///< rows [first, first + count) of the image are there
  /// Row first + i is the ring's row (slot + i) mod ring; slot < ring, count <= ring.
  std::int64_t slot = 0, ring = std::numeric_limits<std::int32_t>::max();
};

/// The other operands of some rows.
struct RowOperands {
  const float* weights = nullptr;   ///< packed
  const float* bias = nullptr;      ///< or null
  const float* residual = nullptr;  ///< at the first of the rows, or null
  Pixels::Operands pixels{};        ///< where pixels are read
  float* output = nullptr;          ///< at the first of the rows, which lie one after the other
  std::byte* scratch = nullptr;     ///< row_scratch_bytes()
};

/// A convolution over one or two spatial axes that can compute some rows of an image on their own;
/// the bits are those of the whole. Its weights are constant.
class RowConv : public Kernel {
 public:
  /// Rows [row, row + rows) of the result. `input` has every row they need; it is a ring only for
  /// the depthwise form.
  virtual void run_rows(const RowWindow& input, std::int64_t row, std::int64_t rows,
                        const RowOperands& operands) const noexcept = 0;
  virtual std::size_t row_scratch_bytes() const noexcept { return 0; }
};
using RowConvPtr = std::unique_ptr<RowConv, KernelDeleter>;

template <typename K, typename... Args>
RowConvPtr make_row_kernel(std::pmr::memory_resource& memory, Args&&... args) {
  return RowConvPtr(static_cast<K*>(make_kernel<K>(memory, std::forward<Args>(args)...).release()));
}

/// The geometry of a float32 convolution, at its largest shapes, whose kernel can do it; nothing
/// otherwise.
std::optional<ConvGeometry> rows_geometry(const NodeView& node, const cpu::KernelTable& table);
/// The same kernel that the convolution would get alone, so that packed forms are the same.
RowConvPtr make_row_conv(const KernelSpec& spec);
/// The same for one whose input is what `pixels`, a part as ops/pixels.h describes it, makes of an
/// image: it reads that image. fits_pixel_conv() says whether there is one. Its run() takes the
/// operands of `pixels` behind those of a convolution, inputs 4 and on.
RowConvPtr make_row_conv(const KernelSpec& spec, const NodeView& pixels);

}  // namespace skiff
