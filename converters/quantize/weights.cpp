#include "converters/quantize/weights.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace skiff::quantize {
namespace {

double step_of(double largest) noexcept {
  constexpr int kBits = 24 - 7;  // a float's, less those of a factor up to 127
  int exponent = 0;
  const double fraction = std::frexp(largest / 127, &exponent);
  const double step = std::ldexp(std::floor(std::ldexp(fraction, kBits)), exponent - kBits);
  return step < static_cast<double>(FLT_MIN) ? 0 : step;
}

}  // namespace

std::vector<std::byte> round_weights(const ir::Value& weights, int axis) {
  std::vector<float> numbers(weights.constant->size() / sizeof(float));
  std::memcpy(numbers.data(), weights.constant->data(), weights.constant->size());
  const auto channels = static_cast<std::size_t>(weights.shape[axis]);
  const auto run = static_cast<std::size_t>(weights.shape.elements(axis + 1, weights.shape.rank()));
  const auto channel_of = [&](std::size_t i) { return i / run % channels; };
  std::vector<double> steps(channels);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    double& largest = steps[channel_of(i)];
    largest = std::max(largest, std::abs(static_cast<double>(numbers[i])));
  }
  std::ranges::transform(steps, steps.begin(), step_of);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double step = steps[channel_of(i)];
    const double multiple = step == 0 ? 0 : std::nearbyint(static_cast<double>(numbers[i]) / step);
    numbers[i] = static_cast<float>(multiple * step + 0.0);  // no negative zeros
  }
  return ir::bytes_of(std::span<const float>(numbers));
}

}  // namespace skiff::quantize
