#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace skiff::quantize {

/// How a tensor's numbers are distributed, while more and more of them come. Bins of equal width
/// lie on both sides of zero as far as a power of two; where a number lies beyond it, pairs of bins
/// become one until the power is large enough. Zeros are not counted: quantisation keeps them.
class Histogram {
 public:
  struct Bin {
    double count = 0, mean = 0;
  };

  void add(std::span<const float> numbers);

  /// The least and the greatest number, zero included; 0 and 0: nothing but zeros.
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  /// False once a NaN or an infinity came; these are in no bin.
  bool finite() const noexcept { return finite_; }
  /// The bins that hold something, in order.
  std::vector<Bin> bins() const;

 private:
  static constexpr std::ptrdiff_t kSide = 4096;  ///< bins on a side

  void reach(double magnitude);
  void halve();

  double limit_ = 0;  ///< the bins end here; 0: none yet
  double low_ = 0, high_ = 0;
  bool finite_ = true;
  std::vector<double> counts_, sums_;
};

}  // namespace skiff::quantize
