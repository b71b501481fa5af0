#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>
#include <utility>

#include "runtime/core/error.h"
#include "runtime/cuda/kernel.h"

namespace skiff::cuda {

/// Throws Error{unsupported}: no kernel here, for this reason.
template <typename... Pieces>
[[noreturn]] void refuse(const Pieces&... pieces) {
  fail(ErrorCode::unsupported, pieces...);
}

/// Calls f(std::type_identity<T>{}) for the stored type of a float tensor.
template <typename F>
auto dispatch_float(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(std::type_identity<float>{});
    case DType::float16:
      return f(std::type_identity<__half>{});
    case DType::bfloat16:
      return f(std::type_identity<__nv_bfloat16>{});
    default:
      refuse("no GPU kernel for ", dtype);
  }
}

/// Likewise for one of integers of 8 or 16 bits.
template <typename F>
auto dispatch_narrow_integer(DType dtype, F&& f) {
  switch (dtype) {
    case DType::int8:
      return f(std::type_identity<std::int8_t>{});
    case DType::uint8:
      return f(std::type_identity<std::uint8_t>{});
    case DType::int16:
      return f(std::type_identity<std::int16_t>{});
    case DType::uint16:
      return f(std::type_identity<std::uint16_t>{});
    default:
      refuse("no GPU kernel for ", dtype);
  }
}

/// Likewise for one of any kind of number.
template <typename F>
auto dispatch_number(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float64:
      return f(std::type_identity<double>{});
    case DType::int32:
      return f(std::type_identity<std::int32_t>{});
    case DType::uint32:
      return f(std::type_identity<std::uint32_t>{});
    case DType::int64:
      return f(std::type_identity<std::int64_t>{});
    case DType::uint64:
      return f(std::type_identity<std::uint64_t>{});
    case DType::float32:
    case DType::float16:
    case DType::bfloat16:
      return dispatch_float(dtype, std::forward<F>(f));
    default:
      return dispatch_narrow_integer(dtype, std::forward<F>(f));
  }
}

/// Calls f with an unsigned type of the element's size: for what only moves elements.
template <typename F>
auto dispatch_size(DType dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1:
      return f(std::type_identity<std::uint8_t>{});
    case 2:
      return f(std::type_identity<std::uint16_t>{});
    case 4:
      return f(std::type_identity<std::uint32_t>{});
    default:
      return f(std::type_identity<std::uint64_t>{});
  }
}

/// Blocks that cover `count` items with `threads` each. Kernels count blocks in 31 bits.
inline unsigned blocks_for(std::int64_t count, int threads) {
  const std::int64_t blocks = ceil_div(count, threads);
  require(blocks < (std::int64_t{1} << 31), ErrorCode::unsupported,
          "more elements than a GPU grid holds");
  return static_cast<unsigned>(blocks);
}

/// An extent that device code keeps in 32 bits.
inline int narrow(std::int64_t value) {
  require(value >= -(std::int64_t{1} << 31) && value < (std::int64_t{1} << 31),
          ErrorCode::unsupported, value, " is too large for the GPU kernel");
  return static_cast<int>(value);
}

}  // namespace skiff::cuda
