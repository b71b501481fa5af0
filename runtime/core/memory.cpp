#include "runtime/core/memory.h"

#include <algorithm>
#include <cstdlib>

#include "platform/huge_pages.h"
#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff {
namespace {

constexpr std::size_t kMostHuge = std::size_t{128} << 20;

void* system_allocate(std::size_t bytes, std::size_t alignment) noexcept {
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes) != 0) return nullptr;
  // Measured: a third off the time to load; for more, finding the pages takes longer than it saves.
  if (bytes <= kMostHuge) platform::prefer_huge_pages(memory, bytes);
  return memory;
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
