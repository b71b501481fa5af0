#include "converters/quantize/scale.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace skiff::quantize {

double Scale::stored(double x) const noexcept {
  const double step = static_cast<double>(scale), least = -static_cast<double>(zero);
  return step * std::clamp(std::nearbyint(x / step), least, least + 255);
}

Scale scale_of(double low, double high) noexcept {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  Scale result;
  result.scale = std::max(static_cast<float>((high - low) / 255), FLT_MIN);
  const double zero = std::nearbyint(-low / static_cast<double>(result.scale));
  result.zero = static_cast<std::uint8_t>(std::clamp(zero, 0.0, 255.0));
  return result;
}

double squared_error(std::span<const Histogram::Bin> bins, const Scale& scale) noexcept {
  double sum = 0;
  for (const Histogram::Bin& bin : bins) {
    const double error = bin.mean - scale.stored(bin.mean);
    sum += bin.count * error * error;
  }
  return sum;
}

Scale best_scale(const Histogram& histogram) {
  constexpr int kRounds = 2, kParts = 100;
  const auto bins = histogram.bins();
  double low = histogram.low(), high = histogram.high();
  Scale best = scale_of(low, high);
  double least = squared_error(bins, best);
  const auto try_range = [&](double from, double to) {
    const Scale scale = scale_of(from, to);
    const double error = squared_error(bins, scale);
    if (error >= least) return;
    best = scale;
    least = error;
    low = from;
    high = to;
  };
  for (int round = 0; round < kRounds; ++round) {
    for (int part = 1; part <= kParts; ++part) try_range(low, histogram.high() * part / kParts);
    for (int part = 1; part <= kParts; ++part) try_range(histogram.low() * part / kParts, high);
  }
  return best;
}

}  // namespace skiff::quantize
