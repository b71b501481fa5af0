#pragma once

#include <cstdint>
#include <optional>

#include <skiff/dtype.h>
#include <skiff/shape.h>

namespace skiff {

/// Integer arithmetic on foreign numbers: nothing instead of a wrapped result.
constexpr std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

constexpr std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// No tensor holds more elements or bytes than this (2^46): sums of many stay inside 63 bits.
inline constexpr std::int64_t kMaxTensorBytes = std::int64_t{1} << 46;

/// Bytes of a dense tensor; nothing when an extent is negative or the size is beyond
/// kMaxTensorBytes. Extents besides a zero are bounded too, so that strides never wrap.
constexpr std::optional<std::int64_t> checked_bytes(DType dtype, const Shape& shape) noexcept {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    const auto product = checked_mul(bytes, extent);
    if (!product || *product > kMaxTensorBytes) return std::nullopt;
    bytes = *product;
  }
  return empty ? 0 : bytes;
}

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

constexpr std::int64_t ceil_div(std::int64_t value, std::int64_t divisor) noexcept {
  return (value + divisor - 1) / divisor;
}

}  // namespace skiff
