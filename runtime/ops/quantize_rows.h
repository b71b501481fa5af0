#pragma once

#include "runtime/ops/dispatch.h"
#include "runtime/ops/elementwise.h"
#include "runtime/ops/kernel.h"
#include "runtime/ops/strided.h"

namespace skiff {

using ScaleTypes = Types<float, Float16, BFloat16>;
using QuantizedTypes = Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t>;

/// How the elements of quantize's and dequantize's operand find their scale: walked as rows of
/// `length` elements, row r with the entries from base(r) on, an entry an element (step 1) or one
/// for all of them (step 0).
struct ScaleRows {
  std::int64_t rows = 1;
  std::int64_t length = 0;
  std::int64_t step = 0;

  static ScaleRows of(const Shape& x, const Shape& scale, const fb::QuantizeAttrs& attrs) noexcept;
  std::int64_t base(std::int64_t row) const noexcept;

  /// Calls f(element, entry, count) for runs that together are all elements: `count` of them from
  /// `element` on, their scales from `entry` on.
  template <typename F>
  void for_runs(const RunArgs& args, F&& f) const noexcept {
    const std::int64_t pieces = ceil_div(length, kRunElements);
    const std::int64_t grain = grain_for(2 * std::min(length, kRunElements));
    parallel_chunks(args, rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / pieces, from = i % pieces * kRunElements;
        f(row * length + from, base(row) + from * step, std::min(kRunElements, length - from));
      }
    });
  }

 private:
  std::int64_t extent_ = 1, block_ = 1, blocks_ = 1, inner_ = 0;  // inner_ 0: one scale for all
};

}  // namespace skiff
