#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>

#include "runtime/plan/problem.h"

namespace skiff::plan {

/// What is wrong with a plan; indices of buffers, -1 where none is meant.
struct Verdict {
  enum class Fault : std::uint8_t {
    none,
    count,      ///< number of offsets differs from the number of buffers
    lifetime,   ///< `first` is negative or not before its end
    size,       ///< negative size
    alignment,  ///< offset is not a multiple of the alignment (or the alignment is below 1)
    range,      ///< offset is negative, or the buffer ends behind the capacity
    overlap,    ///< `first` and `second` live in one step and share bytes
  };
  Fault fault = Fault::none;
  std::int32_t first = -1;
  std::int32_t second = -1;
  explicit operator bool() const noexcept { return fault == Fault::none; }
};

/// Stable name of a fault, e.g. "overlap".
const char* name_of(Verdict::Fault fault) noexcept;

/// Judges a plan that may come from a hostile file; shares no code with the planner. O(n log n)
/// time and O(n) memory from `scratch`; any numbers are safe. Buffers of zero bytes may lie
/// anywhere in [0, capacity]. With an overlap, some pair that overlaps is named.
Verdict valid(const Problem& problem, std::span<const std::int64_t> offsets, std::int64_t capacity,
              std::pmr::memory_resource& scratch);

}  // namespace skiff::plan
