#pragma once

#include <skiff/tensor.h>

#include <cstddef>
#include <span>

namespace skiff::cli {

/// How far two tensors of one type and shape are apart.
struct Difference {
  double relative_l2 = 0;   ///< norm of the difference over that of the expected values
  double max_relative = 0;  ///< largest difference over the largest expected magnitude
  double max_absolute = 0;
  std::size_t worst = 0;  ///< index of the largest difference
  /// Elements with |value - expected| > atol + rtol |expected|.
  std::size_t beyond = 0;
};

/// `expected` holds the bytes of as many elements as `value` has. A NaN where the other has none
/// makes all measures infinite.
Difference compare(const Tensor& value, std::span<const std::byte> expected, double rtol,
                   double atol) noexcept;

}  // namespace skiff::cli
