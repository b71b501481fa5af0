#pragma once

#include "runtime/cpu/isa/integers.h"
#include "runtime/cpu/isa/rows.h"

// Rows of floats from 8-bit integers, and back.
namespace skiff::cpu {
namespace {

void dequantize(const std::uint8_t* x, bool is_signed, float scale, std::int32_t zero_point,
                float* y, std::int64_t count) {
  const std::uint8_t flip = flip_of(is_signed);
  const Vec shift = splat(static_cast<float>(zero_point + flip)), factor = splat(scale);
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        store(y + i, mul(sub(load_bytes(x + i, flip, lanes), shift), factor), lanes);
      });
}

void quantize(const float* x, float scale, std::int32_t zero_point, bool is_signed, std::uint8_t* y,
              std::int64_t count) {
  const auto lowest = static_cast<float>((is_signed ? -128 : 0) - zero_point);
  const Vec low = splat(lowest), high = splat(lowest + 255), divisor = splat(scale);
  const IVec shift = splat_integer(zero_point);
  each_vector(
      count, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        Vec v = div(load(x + i, lanes), divisor);
        v = at_most(ei::pmax<Eigen::PropagateNumbers>(v, low), high);
        store_bytes(y + i, add(round_even(v), shift), counted(lanes).count);
      });
}

}  // namespace
}  // namespace skiff::cpu
