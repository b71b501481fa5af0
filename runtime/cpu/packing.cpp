#include "runtime/cpu/packing.h"

#include <algorithm>

#include "runtime/core/half.h"
#include "runtime/ops/kernel.h"

namespace skiff::cpu {
namespace {

// Stored numbers that are read at once: enough to be fast, little beside the weights.
constexpr std::int64_t kRowChunkElements = 64 << 10;

std::int64_t rows_at_once(const PanelLayout& layout) noexcept {
  return std::clamp<std::int64_t>(kRowChunkElements / std::max<std::int64_t>(layout.n, 1), 1,
                                  std::max<std::int64_t>(layout.depth, 1));
}

std::size_t scratch_for(std::int64_t elements) noexcept {
  // Floats, then the stored form of 16-bit numbers.
  return static_cast<std::size_t>(elements) * (sizeof(float) + sizeof(std::uint16_t));
}

}  // namespace

void read_floats(ConstantReader& reader, DType dtype, std::int64_t count, float* to,
                 std::byte* scratch) {
  const auto length = static_cast<std::size_t>(count);
  if (dtype == DType::float32) {
    reader.read({reinterpret_cast<std::byte*>(to), length * sizeof(float)});
    return;
  }
  reader.read({scratch, length * sizeof(std::uint16_t)});
  const auto* halves = reinterpret_cast<const std::uint16_t*>(scratch);
  for (std::size_t i = 0; i < length; ++i)
    to[i] = dtype == DType::float16 ? half_to_float(halves[i]) : bfloat16_to_float(halves[i]);
}

std::size_t column_scratch_bytes(const PanelLayout& layout) noexcept {
  return scratch_for(layout.lanes * layout.depth);
}

void pack_columns(const KernelTable& table, const PanelLayout& layout, ConstantReader& reader,
                  DType dtype, float scale, float* to, std::byte* scratch) {
  auto* floats = reinterpret_cast<float*>(scratch);
  std::byte* stored =
      scratch + sizeof(float) * static_cast<std::size_t>(layout.lanes * layout.depth);
  for (std::int64_t column = 0; column < layout.n; column += layout.lanes) {
    const std::int64_t columns = std::min(layout.lanes, layout.n - column);
    read_floats(reader, dtype, columns * layout.depth, floats, stored);
    const std::int64_t panel = column / layout.wide();
    table.pack_panel(floats, 1, layout.depth, layout.depth, columns, layout.lanes,
                     layout.width(panel), scale,
                     to + layout.offset(panel) + (column - panel * layout.wide()));
  }
}

std::size_t row_scratch_bytes(const PanelLayout& layout) noexcept {
  return scratch_for(rows_at_once(layout) * layout.n);
}

void pack_rows(const KernelTable& table, const PanelLayout& layout, ConstantReader& reader,
               DType dtype, float scale, float* to, std::byte* scratch) {
  const std::int64_t chunk = rows_at_once(layout);
  auto* floats = reinterpret_cast<float*>(scratch);
  std::byte* stored = scratch + sizeof(float) * static_cast<std::size_t>(chunk * layout.n);
  for (std::int64_t k = 0; k < layout.depth; k += chunk) {
    const std::int64_t rows = std::min(chunk, layout.depth - k);
    read_floats(reader, dtype, rows * layout.n, floats, stored);
    for (std::int64_t p = 0; p < layout.panels(); ++p) {
      const std::int64_t width = layout.width(p);
      table.pack_panel(floats + p * layout.wide(), layout.n, 1, rows,
                       std::min(width, layout.n - p * layout.wide()), width, width, scale,
                       to + layout.offset(p) + k * width);
    }
  }
}

void pack_from_memory(const KernelTable& table, const PanelLayout& layout, std::int64_t panel,
                      const float* from, std::int64_t k_stride, std::int64_t column_stride,
                      float scale, float* to) noexcept {
  const std::int64_t column = panel * layout.wide(), width = layout.width(panel);
  table.pack_panel(from + column * column_stride, k_stride, column_stride, layout.depth,
                   std::min(width, layout.n - column), width, width, scale,
                   to + layout.offset(panel));
}

}  // namespace skiff::cpu
