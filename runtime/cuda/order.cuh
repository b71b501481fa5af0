#pragma once

#include <cstdint>
#include <type_traits>

#include "runtime/cuda/dispatch.h"

// The order of stored numbers of any type, by their bits: one kernel serves all types of a size.
namespace skiff::cuda {

/// How keys are made of bits: unsigned numbers in the order wanted. Equal numbers have equal keys,
/// the two zeros too, and so have all NaNs.
struct KeyOrder {
  std::uint64_t infinity = 0;  ///< its bits; 0: the type holds integers
  bool is_signed = false;
  bool descending = false;  ///< the largest number has the smallest key
  bool nan_first = false;   ///< NaN has the smallest key of all, otherwise the largest
};

/// Throws Error{unsupported} for what is no number.
inline KeyOrder key_order(DType dtype, bool descending, bool nan_first) {
  switch (dtype) {
    case DType::float16:
      return {0x7c00, true, descending, nan_first};
    case DType::bfloat16:
      return {0x7f80, true, descending, nan_first};
    case DType::float32:
      return {0x7f80'0000, true, descending, nan_first};
    case DType::float64:
      return {0x7ff0'0000'0000'0000, true, descending, nan_first};
    case DType::int8:
    case DType::int16:
    case DType::int32:
    case DType::int64:
      return {0, true, descending, nan_first};
    case DType::uint8:
    case DType::uint16:
    case DType::uint32:
    case DType::uint64:
      return {0, false, descending, nan_first};
    default:
      refuse("no GPU kernel for ", dtype);
  }
}

template <typename Bits>
__device__ Bits key_of(const KeyOrder& order, Bits bits) {
  constexpr auto kAll = static_cast<Bits>(~Bits{0});
  constexpr auto kSign = static_cast<Bits>(kAll ^ (kAll >> 1));
  Bits key = bits;
  if (order.infinity != 0) {
    const auto magnitude = static_cast<Bits>(bits & ~kSign);
    if (magnitude > order.infinity) return order.nan_first ? Bits{0} : kAll;
    if (magnitude == 0) key = 0;
    key = static_cast<Bits>((key & kSign) != 0 ? ~key : key | kSign);
  } else if (order.is_signed) {
    key = static_cast<Bits>(key ^ kSign);
  }
  return order.descending ? static_cast<Bits>(~key) : key;
}

/// An element of a line: its key, then its index. No two of a line are equal.
struct WidePlace {
  std::uint64_t key;
  std::uint32_t index;
};
__device__ inline bool operator<(const WidePlace& a, const WidePlace& b) {
  return a.key != b.key ? a.key < b.key : a.index < b.index;
}

/// Keys of up to 32 bits share a number with the index.
template <typename Bits>
using Place = std::conditional_t<sizeof(Bits) < sizeof(std::uint64_t), std::uint64_t, WidePlace>;

template <typename Bits>
__device__ Place<Bits> place_of(const KeyOrder& order, Bits bits, std::uint32_t index) {
  const std::uint64_t key = key_of(order, bits);
  if constexpr (std::is_same_v<Place<Bits>, WidePlace>) {
    return {key, index};
  } else {
    return key << 32 | index;
  }
}
/// Behind every place of a line.
template <typename Bits>
__device__ Place<Bits> no_place() {
  if constexpr (std::is_same_v<Place<Bits>, WidePlace>) {
    return {~std::uint64_t{0}, ~std::uint32_t{0}};
  } else {
    return ~std::uint64_t{0};
  }
}

__device__ inline std::uint32_t index_of(std::uint64_t place) {
  return static_cast<std::uint32_t>(place);
}
__device__ inline std::uint32_t index_of(const WidePlace& place) { return place.index; }

/// As exchange() of block_reduce.cuh.
__device__ inline WidePlace exchange(WidePlace place, int lanes) {
  return {__shfl_xor_sync(0xffffffffu, place.key, lanes),
          __shfl_xor_sync(0xffffffffu, place.index, lanes)};
}

}  // namespace skiff::cuda
