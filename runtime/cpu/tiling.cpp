#include "runtime/cpu/tiling.h"

#include <algorithm>

namespace skiff::cpu {
namespace {

// A task this long is worth handing over; more tasks than this only cost.
constexpr std::int64_t kTaskMultiplyAdds = 262144;
constexpr std::int64_t kMaxTasks = 32;
// Elements that stay in a second-level cache of 1 MiB beside the rest.
constexpr std::int64_t kCachedElements = 160 << 10;
// A panel and the one fetched behind it, beside the rows.
constexpr std::int64_t kPanelElements = 112 << 10;
constexpr std::int64_t kRowBlockElements = 64 << 10;

// Relative time of all columns with panels of `vectors` vectors.
std::int64_t time_of(const KernelTable& table, std::int64_t total, std::int64_t vectors) {
  return total / vectors * vectors * table.cost[vectors] +
         total % vectors * table.cost[total % vectors];
}

}  // namespace

PanelLayout choose_layout(const KernelTable& table, std::int64_t rows, std::int64_t n,
                          std::int64_t depth) noexcept {
  const std::int64_t lanes = table.lanes;
  const std::int64_t total = ceil_div(std::max<std::int64_t>(n, 1), lanes);
  // Few rows: the weights are read once and wide panels keep enough sums in flight.
  const bool few = rows < 4;
  std::int64_t best = std::min<std::int64_t>(few ? 4 : 1, total);
  for (std::int64_t v = 2; v <= std::min<std::int64_t>(4, total) && !few; ++v) {
    const bool fits = v * lanes * depth <= kPanelElements || rows <= 2 * table.max_rows[v];
    if (fits && time_of(table, total, v) <= time_of(table, total, best)) best = v;
  }
  return {.depth = depth, .n = n, .lanes = lanes, .vectors = best};
}

std::int32_t narrow_columns(const KernelTable& table, std::int64_t n, std::int64_t k,
                            std::int64_t taps) noexcept {
  if (n == 0 || k == 0 || n > 4 || n > table.lanes / 2) return 0;
  const std::int32_t columns = n > 2 ? 4 : static_cast<std::int32_t>(n);
  // Instructions a row, measured: the turning costs about five for each column.
  const std::int64_t narrow = columns * (taps * ceil_div(k, table.lanes) + 5);
  const std::int64_t panel = taps * k + 4;
  return 10 * narrow < 7 * panel ? columns : 0;
}

Partition choose_partition(const KernelTable& table, const PanelLayout& layout, std::int64_t rows,
                           std::int64_t row_elements, std::int64_t threads) noexcept {
  Partition p{.rows = rows, .panels = layout.panels()};
  if (rows == 0 || layout.n == 0) {
    p.row_tasks = p.panel_tasks = 0;
    return p;
  }
  const std::int64_t row_work = std::max<std::int64_t>(1, layout.depth * layout.n);
  const std::int64_t wanted = std::clamp<std::int64_t>(
      rows > INT64_MAX / row_work ? kMaxTasks : rows * row_work / kTaskMultiplyAdds, 1, kMaxTasks);
  const std::int64_t tile = table.max_rows[layout.vectors];
  const std::int64_t most_rows = ceil_div(rows, 2 * tile);
  const bool weights_heavy = layout.elements() > rows * row_elements;
  if (weights_heavy) {
    p.panel_tasks = std::min(wanted, p.panels);
    p.row_tasks = std::clamp<std::int64_t>(ceil_div(wanted, p.panel_tasks), 1, most_rows);
  } else {
    // Each block of rows reads all weights: few and tall blocks where no cache holds those.
    const bool cached = layout.elements() <= kCachedElements;
    const std::int64_t block = cached ? kRowBlockElements : kCachedElements;
    const std::int64_t least = cached ? wanted : 1;
    p.row_tasks =
        std::clamp<std::int64_t>(std::max(least, rows * row_elements / block), 1, most_rows);
    p.panel_tasks = std::clamp<std::int64_t>(ceil_div(wanted, p.row_tasks), 1, p.panels);
  }
  // Unless the weights are by far the most, each thread reads all of them rather than rows that
  // another one's cache holds: operators before and behind divide rows too.
  const bool by_rows =
      !weights_heavy || (threads > 1 && layout.elements() <= 2 * rows * row_elements);
  if (by_rows && threads > 1 && threads <= most_rows) {
    p.row_tasks = std::min(round_up(p.row_tasks, threads), most_rows);
    p.panel_tasks = std::clamp<std::int64_t>(ceil_div(wanted, p.row_tasks), 1, p.panels);
  }
  p.rows_per_task = round_up(ceil_div(rows, p.row_tasks), tile);
  p.panels_per_task = ceil_div(p.panels, p.panel_tasks);
  p.row_tasks = ceil_div(rows, p.rows_per_task);
  p.panel_tasks = ceil_div(p.panels, p.panels_per_task);
  p.panels_outer = !by_rows;
  return p;
}

TaskBlock block_of(const Partition& p, std::int64_t index) noexcept {
  const std::int64_t row = p.panels_outer ? index % p.row_tasks : index / p.panel_tasks;
  const std::int64_t panel = p.panels_outer ? index / p.row_tasks : index % p.panel_tasks;
  const std::int64_t row_begin = row * p.rows_per_task;
  const std::int64_t panel_begin = panel * p.panels_per_task;
  return {row_begin, std::min(p.rows, row_begin + p.rows_per_task), panel_begin,
          std::min(p.panels, panel_begin + p.panels_per_task)};
}

void run_task(const KernelTable& table, const Partition& p, const ConvArgs& args,
              std::int64_t index) noexcept {
  const TaskBlock block = block_of(p, index);
  ConvArgs whole = args;
  // Tasks that follow each other share a panel: together they fetch the next one.
  whole.rows = p.panels_outer ? p.rows : 0;
  table.conv(whole, block.row_begin, block.row_end, block.panel_begin, block.panel_end);
}

std::int64_t window_rows_per_task(std::int64_t rows, std::int64_t operations_per_row) noexcept {
  constexpr std::int64_t kTaskOperations = 65536;
  const std::int64_t least = ceil_div(rows, kMaxTasks);
  const std::int64_t worth = kTaskOperations / std::max<std::int64_t>(1, operations_per_row);
  return std::clamp<std::int64_t>(std::max(least, worth), 1, std::max<std::int64_t>(rows, 1));
}

}  // namespace skiff::cpu
