#include "runtime/plan/greedy.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace skiff::plan {
namespace {

using Order = std::pmr::vector<std::int32_t>;
enum class Gap : std::uint8_t { lowest, tightest };

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// Offset for an item between the placed ones, which are sorted by offset.
std::int32_t find_gap(const Sections& sections, const Packing& packing, const Order& placed,
                      const Item& item, Gap gap) {
  std::int32_t top = 0, best = -1;
  std::int32_t best_room = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t other : placed) {
    const Item& below = sections.items[at(other)];
    if (below.s0 >= item.s1 || item.s0 >= below.s1) continue;
    const std::int32_t room = packing.offsets[at(other)] - top;
    if (room >= item.size && room < best_room) {
      if (gap == Gap::lowest) return top;
      best = top;
      best_room = room;
    }
    top = std::max(top, packing.offsets[at(other)] + below.size);
  }
  return best >= 0 ? best : top;
}

void pack(const Sections& sections, const Order& order, Gap gap, Packing& out, Order& placed) {
  placed.clear();
  out.height = 0;
  for (const std::int32_t i : order) {
    const Item& item = sections.items[at(i)];
    const std::int32_t offset = find_gap(sections, out, placed, item, gap);
    out.offsets[at(i)] = offset;
    out.height = std::max(out.height, offset + item.size);
    const auto after =
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [&](std::int32_t o, std::int32_t j) { return o < out.offsets[at(j)]; });
    placed.insert(after, i);
  }
}

/// Larger keys first; the portfolio by number.
std::int64_t key(const Sections& sections, std::int32_t i, int which) {
  const Item& item = sections.items[at(i)];
  switch (which) {
    case 0:
      return item.size;
    case 1:
      return item.size * sections.steps[at(i)] / 2;  // sizes < 2^30, steps < 2^31
    case 2:
      return sections.steps[at(i)];
    case 3:
      return *std::max_element(sections.load.begin() + item.s0, sections.load.begin() + item.s1);
    default:
      return -item.s0;
  }
}

}  // namespace

Packing greedy(const Sections& sections, std::int64_t enough, std::pmr::memory_resource& resource) {
  const std::size_t count = sections.items.size();
  Packing best(resource), trial(resource);
  best.offsets.resize(count);
  trial.offsets.resize(count);
  best.height = std::numeric_limits<std::int32_t>::max();
  Order order(count, 0, &resource), placed(&resource);
  std::pmr::vector<std::int64_t> keys(count, 0, &resource);
  placed.reserve(count);
  constexpr std::size_t kManyItems = 8192;  // beyond, one order must do: the cost is quadratic
  const int portfolio = count > kManyItems ? 1 : 5;
  for (int which = 0; which < portfolio; ++which) {
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = key(sections, static_cast<std::int32_t>(i), which);
    }
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      if (keys[at(a)] != keys[at(b)]) return keys[at(a)] > keys[at(b)];
      const std::int32_t left = sections.items[at(a)].size, right = sections.items[at(b)].size;
      return left != right ? left > right : a < b;
    });
    for (const Gap gap : {Gap::lowest, Gap::tightest}) {
      pack(sections, order, gap, trial, placed);
      if (trial.height < best.height) {
        best.offsets.swap(trial.offsets);
        best.height = trial.height;
      }
      if (best.height <= enough) return best;
    }
  }
  return best;
}

}  // namespace skiff::plan
