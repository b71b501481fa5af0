#pragma once

#include <cstdint>

#include "runtime/ops/dispatch.h"

namespace skiff {

/// 16-bit floats are computed in blocks of this many floats on the stack.
inline constexpr std::int64_t kHalfBlock = 512;

template <typename H>
void widen(const H* from, float* to, std::int64_t count) noexcept {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
}

template <typename H>
void narrow(const float* from, H* to, std::int64_t count) noexcept {
  for (std::int64_t i = 0; i < count; ++i) to[i] = H(from[i]);
}

}  // namespace skiff
