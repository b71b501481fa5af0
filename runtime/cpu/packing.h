#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <skiff/dtype.h>

#include "runtime/cpu/tiling.h"

namespace skiff {
class ConstantReader;
}

namespace skiff::cpu {

/// Reads `count` stored numbers of dtype float32, float16 or bfloat16 as floats. The scratch holds
/// count times the stored size; unused for float32.
void read_floats(ConstantReader& reader, DType dtype, std::int64_t count, float* to,
                 std::byte* scratch);

/// Streams a matrix stored [n][depth] (a row a column of the product: conv weights, transposed
/// matrices) into panels. Scratch: column_scratch_bytes().
void pack_columns(const KernelTable& table, const PanelLayout& layout, ConstantReader& reader,
                  DType dtype, float scale, float* to, std::byte* scratch);
std::size_t column_scratch_bytes(const PanelLayout& layout) noexcept;

/// Streams a matrix stored [depth][n] into panels. Scratch: row_scratch_bytes().
void pack_rows(const KernelTable& table, const PanelLayout& layout, ConstantReader& reader,
               DType dtype, float scale, float* to, std::byte* scratch);
std::size_t row_scratch_bytes(const PanelLayout& layout) noexcept;

/// One panel from a matrix in memory: element (k, column) at from[k * k_stride + column *
/// column_stride]. `to` is the start of all panels.
void pack_from_memory(const KernelTable& table, const PanelLayout& layout, std::int64_t panel,
                      const float* from, std::int64_t k_stride, std::int64_t column_stride,
                      float scale, float* to) noexcept;

}  // namespace skiff::cpu
