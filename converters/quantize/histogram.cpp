#include "converters/quantize/histogram.h"

#include <algorithm>
#include <cmath>

namespace skiff::quantize {

void Histogram::add(std::span<const float> numbers) {
  double low = low_, high = high_;
  for (const float number : numbers) {
    if (!std::isfinite(number)) {
      finite_ = false;
      continue;
    }
    low = std::min(low, static_cast<double>(number));
    high = std::max(high, static_cast<double>(number));
  }
  low_ = low;
  high_ = high;
  reach(std::max(high, -low));
  const double per_width = limit_ == 0 ? 0 : static_cast<double>(kSide) / limit_;
  for (const float number : numbers) {
    if (number == 0 || !std::isfinite(number)) continue;
    const double x = static_cast<double>(number);
    const auto bin =
        static_cast<std::size_t>(static_cast<std::ptrdiff_t>(std::floor(x * per_width)) + kSide);
    counts_[bin] += 1;
    sums_[bin] += x;
  }
}

void Histogram::reach(double magnitude) {
  if (magnitude < limit_ || magnitude == 0) return;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
  const double wanted = std::ldexp(1.0, exponent);
  if (limit_ == 0) {
    limit_ = wanted;
    counts_.resize(2 * kSide);
    sums_.resize(2 * kSide);
  }
  for (; limit_ < wanted; limit_ *= 2) halve();
}

void Histogram::halve() {
  for (std::vector<double>* bins : {&counts_, &sums_}) {
    double* const middle = bins->data() + kSide;
    for (std::ptrdiff_t i = 0; i < kSide / 2; ++i) middle[i] = middle[2 * i] + middle[2 * i + 1];
    for (std::ptrdiff_t i = -1; i >= -kSide / 2; --i) middle[i] = middle[2 * i] + middle[2 * i + 1];
    std::fill(middle + kSide / 2, middle + kSide, 0.0);
    std::fill(middle - kSide, middle - kSide / 2, 0.0);
  }
}

std::vector<Histogram::Bin> Histogram::bins() const {
  std::vector<Bin> result;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] > 0) result.push_back({counts_[i], sums_[i] / counts_[i]});
  return result;
}

}  // namespace skiff::quantize
