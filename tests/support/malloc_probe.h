#pragma once

#include <cstddef>

#include "tests/support/sanitized.h"

namespace skiff::test {

/// Counts what the whole process asks of malloc, calloc, realloc, the aligned forms and mmap
/// between construction and stop(). One at a time. In sanitizer builds, which bring a malloc
/// of their own, it counts nothing.
class MallocProbe {
 public:
  struct Count {
    std::size_t calls;  ///< requests of memory, mmap included
    std::size_t bytes;  ///< sum of all requests
    std::size_t peak;   ///< most bytes requested since the start and not yet freed
  };
  MallocProbe() noexcept;
  Count stop() noexcept;
};

inline constexpr bool kMallocProbeWorks = !kSanitized;

}  // namespace skiff::test
