#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace skiff {

/// Calls f with the number of bytes as a constant for common sizes, else with 0, which means
/// "any"; so that small blocks are moved by one instruction and not by a call.
template <typename F>
void with_block(std::int64_t bytes, F&& f) noexcept {
  switch (bytes) {
    case 1:
      return f(std::integral_constant<int, 1>{});
    case 2:
      return f(std::integral_constant<int, 2>{});
    case 4:
      return f(std::integral_constant<int, 4>{});
    case 8:
      return f(std::integral_constant<int, 8>{});
    case 12:
      return f(std::integral_constant<int, 12>{});
    case 16:
      return f(std::integral_constant<int, 16>{});
    default:
      return f(std::integral_constant<int, 0>{});
  }
}

/// Moves a block of kBytes bytes, or of `bytes` when kBytes is 0.
template <int kBytes>
void move_block(std::byte* to, const std::byte* from, std::int64_t bytes) noexcept {
  if constexpr (kBytes > 0) {
    std::memcpy(to, from, static_cast<std::size_t>(kBytes));
  } else {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
}

}  // namespace skiff
