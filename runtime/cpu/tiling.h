#pragma once

#include <cstdint>
#include <initializer_list>

#include "runtime/core/checked.h"
#include "runtime/cpu/kernel_table.h"

namespace skiff::cpu {

/// Product of counts, INT64_MAX where it does not fit: sizes of work, for shapes that nobody may
/// ever run.
constexpr std::int64_t work_of(std::initializer_list<std::int64_t> counts) noexcept {
  std::int64_t product = 1;
  for (std::int64_t count : counts) {
    if (count == 0) return 0;
    if (__builtin_mul_overflow(product, count, &product)) product = INT64_MAX;
  }
  return product;
}

/// How a matrix of weights [depth][n] lies in memory: panels of `vectors` vectors of columns, each
/// panel [depth][width]; the last panel is as narrow as whole vectors allow, its missing columns
/// are zero.
struct PanelLayout {
  std::int64_t depth = 0;
  std::int64_t n = 0;
  std::int64_t lanes = 1;
  std::int64_t vectors = 1;

  std::int64_t wide() const noexcept { return vectors * lanes; }
  std::int64_t padded_columns() const noexcept { return round_up(n, lanes); }
  std::int64_t panels() const noexcept { return ceil_div(n, wide()); }
  std::int64_t width(std::int64_t panel) const noexcept {
    const std::int64_t left = padded_columns() - panel * wide();
    return left < wide() ? left : wide();
  }
  std::int64_t offset(std::int64_t panel) const noexcept { return panel * wide() * depth; }
  /// Elements of all panels.
  std::int64_t elements() const noexcept { return padded_columns() * depth; }
};

/// The layout that multiplies `rows` rows fastest. A choice of speed alone: results do not depend
/// on it.
PanelLayout choose_layout(const KernelTable& table, std::int64_t rows, std::int64_t n,
                          std::int64_t depth) noexcept;

/// Products with few columns n may be faster with vectors along k. Then weights lie as
/// [tap][vector of k][columns][lanes], missing columns and elements of k zero; returns the columns,
/// a power of two, 0 where panels are better.
std::int32_t narrow_columns(const KernelTable& table, std::int64_t n, std::int64_t k,
                            std::int64_t taps) noexcept;

/// A product divided into tasks of some rows times some panels.
struct Partition {
  std::int64_t rows = 0, panels = 0;
  std::int64_t rows_per_task = 1, panels_per_task = 1;
  std::int64_t row_tasks = 1, panel_tasks = 1;
  bool panels_outer = false;  ///< consecutive tasks share their panels rather than their rows

  std::int64_t tasks() const noexcept { return row_tasks * panel_tasks; }
};

/// `row_elements`: input elements that one more row brings into the cache. Consecutive tasks are a
/// thread's.
Partition choose_partition(const KernelTable& table, const PanelLayout& layout, std::int64_t rows,
                           std::int64_t row_elements, std::int64_t threads) noexcept;

/// What a task computes.
struct TaskBlock {
  std::int64_t row_begin, row_end, panel_begin, panel_end;
};
TaskBlock block_of(const Partition& partition, std::int64_t index) noexcept;

/// Task `index` of the partition. Safe to call from any thread.
void run_task(const KernelTable& table, const Partition& partition, const ConvArgs& args,
              std::int64_t index) noexcept;

/// Rows of a window operator's output that make one task.
std::int64_t window_rows_per_task(std::int64_t rows, std::int64_t operations_per_row) noexcept;

}  // namespace skiff::cpu
