#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>

#include "runtime/graph/rewrite.h"
#include "runtime/ops/pixels.h"

namespace skiff {

/// A cast of an uint8 image and what follows it, each read by the next one alone.
struct PixelChain {
  static constexpr int kMaxNodes = 1 + Pixels::kMaxSteps;
  std::array<std::int32_t, kMaxNodes> nodes{};             ///< the cast, then a node a step
  std::int32_t image = -1;                                 ///< the cast's operand
  std::array<std::int32_t, Pixels::kMaxSteps> operands{};  ///< constants, one a step
  Pixels pixels;

  std::span<const std::int32_t> used() const noexcept {
    return image < 0 ? std::span<const std::int32_t>() : std::span(nodes).first(1u + steps());
  }
  std::size_t steps() const noexcept { return static_cast<std::size_t>(pixels.count); }
};

/// The chain whose result is input 0 of a convolution that nobody else reads it for; without an
/// image where there is none that a kernel could take in.
PixelChain find_pixels(const Graph& graph, const Readers& readers, const GraphNode& conv,
                       std::pmr::memory_resource& scratch);

/// A chain as a part; its attributes live in `memory`. add(value): the number of an input of the
/// whole.
template <typename Add>
Part part_of(const PixelChain& chain, std::pmr::memory_resource& memory, const Add& add) {
  void* const place = memory.allocate(sizeof(Pixels), alignof(Pixels));
  Part part{
      &pixels_op(), new (place) Pixels(chain.pixels), "pixels", {add(chain.image), -1, -1, -1}};
  for (std::size_t s = 0; s < chain.steps(); ++s) part.operands[1 + s] = add(chain.operands[s]);
  return part;
}

}  // namespace skiff
