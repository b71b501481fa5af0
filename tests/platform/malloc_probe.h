#pragma once

#include <cstddef>

namespace skiff::platform {

/// Counts what the whole process requests from malloc, calloc and realloc between construction and
/// stop(). One at a time. Not for sanitizer builds, which bring a malloc of their own.
class MallocProbe {
 public:
  struct Count {
    std::size_t calls;
    std::size_t bytes;
  };
  MallocProbe() noexcept;
  Count stop() noexcept;
};

}  // namespace skiff::platform
