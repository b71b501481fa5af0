#include "runtime/cpu/tiling.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/cpu/isa.h"

namespace skiff::cpu {
namespace {

constexpr std::int64_t kCounts[] = {1, 2, 7, 8, 15, 16, 17, 49, 64, 196, 255, 1000, 3136, 12544};

TEST(Tiling, PanelsCoverAllColumnsOnce) {
  for (const KernelTable* table : available_tables())
    for (std::int64_t rows : kCounts)
      for (std::int64_t n : kCounts)
        for (std::int64_t depth : {0, 1, 27, 4608}) {
          const PanelLayout layout = choose_layout(*table, rows, n, depth);
          EXPECT_GE(layout.vectors, 1);
          EXPECT_LE(layout.vectors, 4);
          std::int64_t columns = 0;
          for (std::int64_t p = 0; p < layout.panels(); ++p) {
            EXPECT_EQ(layout.offset(p), columns * depth);
            EXPECT_EQ(layout.width(p) % table->lanes, 0);
            columns += layout.width(p);
          }
          EXPECT_EQ(columns, layout.padded_columns());
          EXPECT_EQ(layout.elements(), columns * depth);
          EXPECT_LT(columns - n, table->lanes);
        }
}

TEST(Tiling, TasksCoverAllRowsAndPanelsOnce) {
  const KernelTable& table = *available_tables().front();
  for (std::int64_t rows : kCounts)
    for (std::int64_t n : {1, 16, 100, 2048})
      for (std::int64_t depth : {1, 64, 2304}) {
        const PanelLayout layout = choose_layout(table, rows, n, depth);
        for (std::int64_t threads : {1, 2, 3, 16}) {
          const Partition p = choose_partition(table, layout, rows, depth, threads);
          ASSERT_EQ(p.rows, rows);
          ASSERT_EQ(p.panels, layout.panels());
          EXPECT_GE(p.row_tasks * p.rows_per_task, rows);
          EXPECT_LT((p.row_tasks - 1) * p.rows_per_task, rows);
          EXPECT_GE(p.panel_tasks * p.panels_per_task, p.panels);
          EXPECT_LT((p.panel_tasks - 1) * p.panels_per_task, p.panels);
        }
      }
}

TEST(Tiling, NothingToDoIsNoTask) {
  const KernelTable& table = *available_tables().front();
  EXPECT_EQ(choose_partition(table, choose_layout(table, 0, 16, 8), 0, 8, 2).tasks(), 0);
  EXPECT_EQ(choose_partition(table, choose_layout(table, 4, 0, 8), 4, 8, 2).tasks(), 0);
}

}  // namespace
}  // namespace skiff::cpu
