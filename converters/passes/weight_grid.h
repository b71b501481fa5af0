#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace skiff::passes {

/// Weights of one output channel that are whole multiples of a scale: what dequantizing int8
/// weights gives, whatever factors and orders of axes were folded in since.
struct WeightGrid {
  float scale = 1;  ///< weight = scale * step

  std::int8_t step(float weight) const noexcept;
};

/// The coarsest grid of at most 127 steps on either side (128 below zero) on which all of the
/// weights lie, to a ten-thousandth of a step; nothing where there is none.
std::optional<WeightGrid> grid_of(std::span<const float> weights);

}  // namespace skiff::passes
