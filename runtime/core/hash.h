#pragma once

#include <concepts>
#include <cstdint>

namespace skiff {

/// A hash with one more number in it, for keys within a process; 2^64 over the golden ratio (Knuth,
/// The Art of Computer Programming, 6.4).
template <std::integral T>
constexpr std::uint64_t hashed(std::uint64_t hash, T value) noexcept {
  return (hash ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15u;
}

}  // namespace skiff
