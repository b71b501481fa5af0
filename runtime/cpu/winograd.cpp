#include "runtime/cpu/winograd.h"

#include <algorithm>

namespace skiff::cpu {
namespace {

// What a task keeps in a second-level cache of 1 MiB, in elements, and the most that it may take.
constexpr std::int64_t kRoom = 150 << 10, kMostRoom = 416 << 10;
// Weights beyond this are not in the second-level cache when the network comes round again.
constexpr std::int64_t kCachedElements = 1 << 18;
// Tiles that a product needs at least to be worth its weights.
constexpr std::int64_t kFewTiles = 8;
// Tasks a layer is divided into where that costs nothing, and what each costs for itself.
constexpr std::int64_t kTasks = 8, kTaskCost = 2048;

/// Vector operations of the transforms of a vector of channels, measured.
struct TransformCost {
  std::int64_t tile, input, output;
};
constexpr TransformCost kTransforms[] = {{2, 80, 55}, {4, 260, 180}};

/// Vector operations that reading so many weights takes. Measured: one each from the second-level
/// cache (AVX2 and AVX-512), a quarter more from beyond it, from where they are fetched ahead
/// (AVX-512 alone).
std::int64_t reading(std::int64_t elements, bool streams) noexcept {
  return streams ? elements * 5 / 4 : elements;
}

/// Vector operations of all tasks one after the other where `threads` share them. Products leave
/// their tiles' ends unused; what a task keeps beyond the cache goes there and back between its
/// three steps.
std::int64_t time_of(const WinogradPlan& plan, std::int64_t usual, std::int64_t cin,
                     std::int64_t threads) noexcept {
  const TransformCost& transform = kTransforms[plan.tile == 4];
  const std::int64_t lanes = plan.layout.lanes, vectors_in = ceil_div(cin, lanes);
  const std::int64_t all = plan.layout.padded_columns() / lanes;
  const std::int64_t vectors = std::min(all, plan.group * plan.layout.vectors);
  const std::int64_t weights = plan.products() * cin * vectors;
  const std::int64_t task =
      plan.block * weights * 5 / 4 +
      plan.block * (vectors_in * transform.input + vectors * transform.output) +
      reading(weights * lanes, plan.streams) + std::max<std::int64_t>(0, plan.room - kRoom) * 4 +
      kTaskCost;
  return task * round_up(ceil_div(usual, plan.block) * plan.groups(), threads);
}

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
  const std::int64_t vectors = ceil_div(cout, table.lanes);
  const std::int64_t weights = 9 * cin * vectors;
  const std::int64_t direct =
      (images * h * w * weights +
       reading(weights * table.lanes, weights * table.lanes > kCachedElements)) /
      (half ? 2 : 1);
  WinogradChoice best;
  std::int64_t least = direct * 9 / 10;  // what it saves must be worth the memory
  for (const TransformCost& cost : kTransforms) {
    const std::int64_t tiles = winograd_tiles(cost.tile, images, h, w);
    const WinogradPlan plan = plan_winograd(table, cost.tile, tiles, tiles, cin, cout, 1);
    const std::int64_t time = time_of(plan, tiles, cin, 1);
    if (time >= least) continue;
    least = time;
    best = {cost.tile, direct - time};
  }
  return best;
}

WinogradPlan plan_winograd(const KernelTable& table, std::int64_t tile, std::int64_t tiles,
                           std::int64_t usual, std::int64_t cin, std::int64_t cout,
                           std::int64_t threads) noexcept {
  WinogradPlan plan;
  plan.tile = tile;
  plan.tiles = tiles;
  usual = std::max<std::int64_t>(usual, 1);
  plan.layout = choose_layout(table, usual, cout, cin);
  plan.streams = plan.products() * plan.layout.elements() > kCachedElements;
  const std::int64_t panels = std::max<std::int64_t>(1, plan.layout.panels());
  const std::int64_t most_blocks = ceil_div(usual, kFewTiles);
  WinogradPlan best;
  std::int64_t least = INT64_MAX;
  const auto try_blocks = [&](std::int64_t blocks) {
    plan.block = ceil_div(usual, std::clamp<std::int64_t>(blocks, 1, most_blocks));
    plan.room = plan.input_elements(cin) + plan.products() * plan.block * plan.group_columns();
    if (plan.room > kMostRoom && plan.block > kFewTiles) return;
    const std::int64_t time = time_of(plan, usual, cin, threads);
    if (time < least) least = time, best = plan;
  };
  // Every size of a group; for each as many blocks as its rooms ask for, and as threads do.
  for (plan.group = panels; plan.group > 0; --plan.group) {
    const std::int64_t groups = ceil_div(panels, plan.group);
    const std::int64_t each = plan.products() * (cin + plan.group_columns());
    for (std::int64_t room : {kRoom, kMostRoom}) {
      const std::int64_t blocks = ceil_div(usual, std::max<std::int64_t>(kFewTiles, room / each));
      try_blocks(blocks);
      try_blocks(ceil_div(round_up(blocks * groups, threads), groups));
    }
    try_blocks(ceil_div(round_up(kTasks, threads), groups));
  }
  return best;
}

}  // namespace skiff::cpu
