#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace skiff::plan {

/// One block of memory: live in the steps [first, end), `size` bytes.
struct Buffer {
  std::int32_t first = 0;
  std::int32_t end = 0;
  std::int64_t size = 0;
};

/// Give every buffer an offset so that no two that live in the same step overlap.
struct Problem {
  std::span<const Buffer> buffers;
  std::int64_t alignment = 256;  ///< offsets and rounded sizes are multiples; any number >= 1
  std::int64_t capacity = 0;     ///< bytes; 0: find the smallest height
};

/// Why the height of a solution is, or is not, known to be the smallest.
enum class Certificate : std::uint8_t {
  equals_lower_bound,  ///< height == max over the steps of the live bytes
  proved_minimal,      ///< an exhaustive search found no lower packing
  unproved,            ///< the node limit ended the search first
};

/// Stable name of a certificate, e.g. "proved_minimal".
const char* name_of(Certificate certificate) noexcept;

struct Solution {
  explicit Solution(std::pmr::memory_resource& resource) : offsets(&resource) {}
  std::pmr::vector<std::int64_t> offsets;  ///< bytes, one for each buffer
  std::int64_t height = 0;                 ///< max of offset + rounded size
  std::int64_t lower_bound = 0;            ///< max over the steps of the sum of rounded sizes
  std::int64_t nodes = 0;                  ///< placements tried by the exact search
  Certificate certificate = Certificate::unproved;
  bool fits = true;         ///< height <= capacity, where the problem has one
  bool infeasible = false;  ///< with a capacity: proved that nothing fits
};

/// Largest number of live bytes in any step, sizes rounded up to the alignment.
/// Throws Error{invalid_argument} on negative sizes, empty lifetimes or sums beyond 2^62.
std::int64_t lower_bound(const Problem& problem, std::pmr::memory_resource& scratch);

}  // namespace skiff::plan
