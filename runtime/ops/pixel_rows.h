#pragma once

#include "runtime/ops/binary_rows.h"
#include "runtime/ops/convert.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/pixels.h"

namespace skiff {

/// Pixels made floats by the functions that the nodes they are made of would use, so that the bits
/// are those of the nodes.
class PixelRows {
 public:
  /// `part`: a part as ops/pixels.h describes it.
  PixelRows(const NodeView& part, const cpu::KernelTable& table);

  /// Operands repeated: rows of pixels are long beside their channels.
  struct Tiles {
    static constexpr std::int64_t kElements = 384;  ///< whole pixels of 1 to 4 channels
    alignas(64) std::byte numbers[Pixels::kMaxSteps][kElements * sizeof(float)];
  };
  /// To be called before rows are converted.
  void fill(const Pixels::Operands& operands, Tiles& tiles) const noexcept;

  /// y[i] of x[i] for `count` elements from a pixel's first channel on.
  void convert(const std::uint8_t* x, std::int64_t count, const Tiles& tiles,
               std::byte* y) const noexcept;

 private:
  const cpu::KernelTable& table_;
  Convert cast_;  // null: to float32, by the table
  std::int64_t channels_, size_;
  int count_;
  std::array<BinaryRows, Pixels::kMaxSteps> steps_{};
  std::array<bool, Pixels::kMaxSteps> each_channel_{};
};

/// The part as a kernel of its own.
KernelPtr make_pixels_cpu(const KernelSpec& spec);

}  // namespace skiff
