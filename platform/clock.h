#pragma once

#include <time.h>

#include <cstdint>

namespace skiff::platform {

/// Nanoseconds of a clock that never goes back; only differences mean anything.
inline std::int64_t monotonic_ns() noexcept {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace skiff::platform
