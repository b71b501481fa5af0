#include "runtime/cpu/winograd.h"

#include <algorithm>

namespace skiff::cpu {
namespace {

// What a task keeps in a second-level cache of 1 MiB, in elements.
constexpr std::int64_t kRoom = 150 << 10;
// Weights beyond this are not in the second-level cache when the network comes round again.
constexpr std::int64_t kCachedElements = 1 << 18;
// Tasks that a layer is divided into where that costs nothing.
constexpr std::int64_t kTasks = 8;

/// Vector operations of the transforms of a vector of channels, measured.
struct TransformCost {
  std::int64_t tile, input, output;
};
constexpr TransformCost kTransforms[] = {{2, 80, 55}, {4, 260, 180}};

}  // namespace

std::int64_t winograd_tiles(std::int64_t tile, std::int64_t images, std::int64_t h,
                            std::int64_t w) noexcept {
  return images * ceil_div(h, tile) * ceil_div(w, tile);
}

WinogradChoice choose_winograd(const KernelTable& table, std::int64_t images, std::int64_t h,
                               std::int64_t w, std::int64_t cin, std::int64_t cout,
                               bool half) noexcept {
  constexpr std::int64_t kLargest = std::int64_t{1} << 24;  // products of extents stay in range
  if (h < 4 || w < 4 || cin < 8 || cout < 8 || images * h * w > kLargest || cin > 8192 ||
      cout > 8192)
    return {};
  const std::int64_t n = round_up(cout, table.lanes);
  const std::int64_t vectors_in = ceil_div(cin, table.lanes), vectors_out = n / table.lanes;
  const std::int64_t direct = images * h * w * 9 * cin * vectors_out / (half ? 2 : 1);
  WinogradChoice best;
  std::int64_t least = direct * 9 / 10;  // what it saves must be worth the memory
  for (const TransformCost& cost : kTransforms) {
    const std::int64_t tiles = winograd_tiles(cost.tile, images, h, w);
    const std::int64_t weights = (cost.tile + 2) * (cost.tile + 2) * cin * vectors_out;
    const std::int64_t products = tiles * weights * 5 / 4;
    const std::int64_t transforms = tiles * (vectors_in * cost.input + vectors_out * cost.output);
    // Measured with AVX2 and AVX-512: reading a weight from the second-level cache takes as long as
    // one vector operation, from beyond it four times that.
    const std::int64_t beyond = weights * table.lanes > kCachedElements ? 4 : 1;
    const std::int64_t reading = weights * table.lanes * beyond;
    const std::int64_t time = products + transforms + reading;
    if (time >= least) continue;
    least = time;
    best = {cost.tile, direct - time};
  }
  return best;
}

WinogradPlan plan_winograd(const KernelTable& table, std::int64_t tile, std::int64_t tiles,
                           std::int64_t usual, std::int64_t cin, std::int64_t cout) noexcept {
  WinogradPlan plan;
  plan.tile = tile;
  plan.tiles = tiles;
  usual = std::max<std::int64_t>(usual, 1);
  const std::int64_t n = round_up(cout, table.lanes);
  const std::int64_t fits = std::max<std::int64_t>(8, kRoom / (plan.products() * (cin + n)));
  plan.block = std::min(fits, ceil_div(usual, std::min(kTasks, ceil_div(usual, 8))));
  plan.block = ceil_div(usual, ceil_div(usual, plan.block));  // blocks of one size
  plan.layout = choose_layout(table, plan.block, cout, cin);
  // Few blocks: columns are divided too, each task transforming the input for itself.
  const std::int64_t divisions = std::clamp<std::int64_t>(kTasks / 2 / ceil_div(usual, plan.block),
                                                          1, std::max<std::int64_t>(1, n / 64));
  plan.group = ceil_div(plan.layout.panels(), divisions);
  const std::int64_t wide = std::min(n, plan.group * plan.layout.wide());
  plan.streams = plan.products() * plan.layout.elements() > kCachedElements;
  plan.room = plan.input_elements(cin) + plan.products() * plan.block * wide;
  return plan;
}

}  // namespace skiff::cpu
