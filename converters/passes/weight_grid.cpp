#include "converters/passes/weight_grid.h"

#include <algorithm>
#include <cmath>

namespace skiff::passes {
namespace {

// Rounding of scale * step to float32, and of a folded factor, moves a weight by less.
constexpr double kTolerance = 1e-4;

/// All weights are multiples of `scale` within int8.
bool lies_on(std::span<const float> weights, double scale) {
  return std::ranges::all_of(weights, [&](float weight) {
    const double steps = static_cast<double>(weight) / scale, whole = std::nearbyint(steps);
    return std::abs(steps - whole) <= kTolerance && whole >= -128 && whole <= 127;
  });
}

}  // namespace

std::int8_t WeightGrid::step(float weight) const noexcept {
  return static_cast<std::int8_t>(
      std::lround(static_cast<double>(weight) / static_cast<double>(scale)));
}

std::optional<WeightGrid> grid_of(std::span<const float> weights) {
  double largest = 0;
  for (const float weight : weights) {
    if (!std::isfinite(weight)) return std::nullopt;
    largest = std::max(largest, std::abs(static_cast<double>(weight)));
  }
  if (largest == 0) return WeightGrid{};
  for (int steps = 1; steps <= 128; ++steps) {
    const double scale = largest / steps;
    if (!lies_on(weights, scale)) continue;
    const auto stored = static_cast<float>(scale);
    if (stored > 0 && std::isnormal(stored)) return WeightGrid{stored};
  }
  return std::nullopt;
}

}  // namespace skiff::passes
