#include "tests/platform/malloc_probe.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <atomic>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> calls{0};
std::atomic<std::size_t> bytes{0};

void count(std::size_t size) noexcept {
  if (!counting) return;
  ++calls;
  bytes += size;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  count(size);
  return __libc_realloc(old, size);
}
}

namespace skiff::platform {

MallocProbe::MallocProbe() noexcept {
  calls = 0;
  bytes = 0;
  counting = true;
}

MallocProbe::Count MallocProbe::stop() noexcept {
  counting = false;
  return {calls, bytes};
}

}  // namespace skiff::platform

#endif
