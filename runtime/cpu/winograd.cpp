#include "runtime/cpu/winograd.h"

#include <algorithm>

namespace skiff::cpu {
namespace {

// What a task keeps in a second-level cache of 1 MiB, in elements.
constexpr std::int64_t kRoom = 150 << 10;
// Weights beyond this are gone from the caches when the network comes round again.
constexpr std::int64_t kCachedElements = 1 << 20;
// Tasks that a layer is divided into where that costs nothing.
constexpr std::int64_t kTasks = 8;

}  // namespace

std::int64_t winograd_tiles(std::int64_t images, std::int64_t h, std::int64_t w) noexcept {
  return images * ceil_div(h, WinogradPlan::kTile) * ceil_div(w, WinogradPlan::kTile);
}

std::int64_t winograd_saves(const KernelTable& table, std::int64_t images, std::int64_t h,
                            std::int64_t w, std::int64_t cin, std::int64_t cout) noexcept {
  constexpr std::int64_t kLargest = std::int64_t{1} << 24;  // products of extents stay in range
  if (h < 4 || w < 4 || cin < 8 || cout < 8 || images * h * w > kLargest || cin > 8192 ||
      cout > 8192)
    return 0;
  const std::int64_t n = round_up(cout, table.lanes);
  const std::int64_t tiles = winograd_tiles(images, h, w);
  const std::int64_t vectors_in = ceil_div(cin, table.lanes), vectors_out = n / table.lanes;
  // In vector operations, measured: transforms take about 260 and 180 a vector; reading a vector of
  // weights takes 10 from the last cache and 30 from memory, where those of a large layer lie by
  // the next run.
  const std::int64_t direct = images * h * w * 9 * cin * vectors_out;
  const std::int64_t products = tiles * 36 * cin * vectors_out * 5 / 4;
  const std::int64_t transforms = tiles * (vectors_in * 260 + vectors_out * 180);
  const std::int64_t weights = 36 * cin * vectors_out;
  const std::int64_t reading = weights * (weights * table.lanes > kCachedElements ? 30 : 10);
  const std::int64_t winograd = products + transforms + reading;
  return 10 * winograd < 8 * direct ? direct - winograd : 0;
}

WinogradPlan plan_winograd(const KernelTable& table, std::int64_t tiles, std::int64_t usual,
                           std::int64_t cin, std::int64_t cout) noexcept {
  WinogradPlan plan;
  plan.tiles = tiles;
  usual = std::max<std::int64_t>(usual, 1);
  const std::int64_t n = round_up(cout, table.lanes);
  const std::int64_t fits = std::max<std::int64_t>(8, kRoom / (36 * (cin + n)));
  plan.block = std::min(fits, ceil_div(usual, std::min(kTasks, ceil_div(usual, 8))));
  plan.block = ceil_div(usual, ceil_div(usual, plan.block));  // blocks of one size
  plan.layout = choose_layout(table, plan.block, cout, cin);
  // Few blocks: columns are divided too, each task transforming the input for itself.
  const std::int64_t divisions = std::clamp<std::int64_t>(kTasks / 2 / ceil_div(usual, plan.block),
                                                          1, std::max<std::int64_t>(1, n / 64));
  plan.group = ceil_div(plan.layout.panels(), divisions);
  const std::int64_t wide = std::min(n, plan.group * plan.layout.wide());
  plan.room = plan.input_elements(cin) + 36 * plan.block * wide;
  return plan;
}

}  // namespace skiff::cpu
