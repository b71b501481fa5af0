#include "tests/support/malloc_probe.h"

#if !SKIFF_SANITIZED

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

/// Requested size of every block made while counting, by address: open addressing, no removal but
/// of sizes. Large enough for a load; a full table stops the test run by an endless search's end.
constexpr std::size_t kSlots = std::size_t{1} << 20;
struct Slot {
  std::uintptr_t address;
  std::size_t size;
};
Slot slots[kSlots];

std::atomic<bool> counting{false};
std::atomic_flag lock = ATOMIC_FLAG_INIT;
std::size_t calls = 0, bytes = 0, live = 0, peak = 0;

struct Guard {
  Guard() noexcept {
    while (lock.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Guard() { lock.clear(std::memory_order_release); }
};

Slot* slot_of(std::uintptr_t address, bool make) noexcept {
  std::size_t i = (address >> 4) * 0x9e3779b97f4a7c15u >> 44;
  for (std::size_t tries = 0; tries < kSlots; ++tries, i = (i + 1) % kSlots) {
    if (slots[i].address == address) return &slots[i];
    if (slots[i].address == 0) {
      if (make) slots[i].address = address;
      return make ? &slots[i] : nullptr;
    }
  }
  return nullptr;
}

void* taken(void* memory, std::size_t size) noexcept {
  if (!counting || memory == nullptr) return memory;
  const Guard guard;
  ++calls;
  bytes += size;
  live += size;
  peak = std::max(peak, live);
  if (Slot* slot = slot_of(reinterpret_cast<std::uintptr_t>(memory), true)) slot->size = size;
  return memory;
}

void given_back(void* memory) noexcept {
  if (!counting || memory == nullptr) return;
  const Guard guard;
  Slot* slot = slot_of(reinterpret_cast<std::uintptr_t>(memory), false);
  if (slot == nullptr) return;
  live -= slot->size;
  slot->size = 0;
}

}  // namespace

// Exported, whether or not a header declared them: libraries must find these and not the system's.
#pragma GCC visibility push(default)
extern "C" {
void* malloc(std::size_t size) { return taken(__libc_malloc(size), size); }
void* calloc(std::size_t number, std::size_t size) {
  return taken(__libc_calloc(number, size), number * size);
}
void* realloc(void* old, std::size_t size) {
  given_back(old);
  return taken(__libc_realloc(old, size), size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  return taken(__libc_memalign(alignment, size), size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  given_back(memory);
  __libc_free(memory);
}
void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) {
  const auto result = syscall(SYS_mmap, address, size, protection, flags, file, offset);
  return result == -1 ? MAP_FAILED : taken(reinterpret_cast<void*>(result), size);
}
}
#pragma GCC visibility pop

namespace skiff::test {

MallocProbe::MallocProbe() noexcept {
  std::fill(slots, slots + kSlots, Slot{});
  calls = bytes = live = peak = 0;
  counting = true;
}

MallocProbe::Count MallocProbe::stop() noexcept {
  counting = false;
  return {calls, bytes, peak};
}

}  // namespace skiff::test

#else

namespace skiff::test {
MallocProbe::MallocProbe() noexcept {}
MallocProbe::Count MallocProbe::stop() noexcept { return {}; }
}  // namespace skiff::test

#endif
