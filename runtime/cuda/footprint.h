#pragma once

#include <cstdint>

// What using a GPU takes besides what is allocated there: its context, code, and what the libraries
// keep for themselves. Nobody tells, so it is measured: what is in use of the GPU's memory (of the
// machine's, where they are one) against what was before there was a context. Other programs that
// take or give back memory meanwhile disturb it.
namespace skiff::cuda {

/// Before anything makes the context of GPU `ordinal`. Of several calls the first one counts.
void begin_footprint(int ordinal) noexcept;

/// Memory of that GPU was allocated, or with a negative number given back.
void count_allocated(int ordinal, std::int64_t bytes) noexcept;

/// Bytes; 0 where the driver does not say what is in use.
std::uint64_t footprint(int ordinal) noexcept;

}  // namespace skiff::cuda
