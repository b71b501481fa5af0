#pragma once

#include "runtime/cpu/isa/integers.h"

// Rows of 8-bit integers become floats, and rows of sums the results.
namespace skiff::cpu {
namespace {

void widen(const std::uint8_t* x, bool is_signed, std::int32_t zero_point, float* y,
           std::int64_t count) {
  if (is_signed) {
    const auto* numbers = reinterpret_cast<const std::int8_t*>(x);
    for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(numbers[i] - zero_point);
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(x[i] - zero_point);
  }
}

void requantize(const IntegerResult& result, float* sums, std::int64_t rows, std::int64_t n,
                void* output) {
  for (std::int64_t column = 0; column < n; column += kLanes) {
    const FirstLanes lanes = lanes_before(column, n);
    const Scaling scaling(result, column, lanes);
    for (std::int64_t at = column; at < rows * n; at += n)
      put_result(result, scaling.apply(load(sums + at, lanes)), output, at, lanes);
  }
  if (!result.bytes && bounds_of(result.epilogue).later) {
    auto* values = static_cast<float*>(output);
    activate(result.epilogue, values, values, rows * n);
  }
}

}  // namespace
}  // namespace skiff::cpu
