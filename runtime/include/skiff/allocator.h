#pragma once

#include <cstddef>

namespace skiff {

/// Where a model's and a session's memory comes from. Both functions may be called during load and
/// destruction only, never from run(). Null functions: the C library's aligned_alloc and free.
struct Allocator {
  /// Returns `bytes` of memory aligned to `alignment` (a power of two) or null.
  void* (*allocate)(void* context, std::size_t bytes, std::size_t alignment) = nullptr;
  void (*release)(void* context, void* memory, std::size_t bytes) = nullptr;
  void* context = nullptr;
};

}  // namespace skiff
