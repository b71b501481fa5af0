#include "runtime/core/memory.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff {
namespace {

void* system_allocate(std::size_t bytes, std::size_t alignment) noexcept {
  void* memory = nullptr;
  return posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes) == 0 ? memory : nullptr;
}

}  // namespace

void MemoryBook::reserve_check(std::uint64_t bytes) const {
  require(limit_ == 0 || (bytes <= limit_ && current_ <= limit_ - bytes),
          ErrorCode::budget_exceeded, "memory limit: ", current_, " bytes are in use and ", bytes,
          " more are needed, the limit is ", limit_);
}

void* MemoryBook::do_allocate(std::size_t bytes, std::size_t alignment) {
  reserve_check(bytes);
  void* memory = allocator_.allocate != nullptr
                     ? allocator_.allocate(allocator_.context, bytes, alignment)
                     : system_allocate(bytes, alignment);
  require(memory != nullptr, ErrorCode::out_of_memory, "the system refused ", bytes,
          " bytes of memory");
  current_ += bytes;
  peak_ = std::max(peak_, current_);
  return memory;
}

void MemoryBook::do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) {
  if (allocator_.release != nullptr)
    allocator_.release(allocator_.context, memory, bytes);
  else
    std::free(memory);
  current_ -= bytes;
}

}  // namespace skiff
