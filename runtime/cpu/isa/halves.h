#pragma once

#include <arm_neon.h>

#include "runtime/cpu/isa/simd.h"

// Vectors of float16 numbers. Included only by objects of instruction sets that compute with them.
namespace skiff::cpu {
namespace {

using Half = std::uint16_t;  // as it lies in memory
using HalfVec = float16x8_t;
constexpr int kHalfLanes = 8;

SKIFF_INLINE HalfVec load_halves(const Half* from) {
  return vreinterpretq_f16_u16(vld1q_u16(from));
}

/// sum + w x[Lane]. gcc makes two instructions of the intrinsic, vfmaq_laneq_f16.
template <int Lane>
SKIFF_INLINE HalfVec fma_lane(HalfVec sum, HalfVec w, HalfVec x) {
  asm("fmla %0.8h, %1.8h, %2.h[%3]" : "+w"(sum) : "w"(w), "x"(x), "i"(Lane));
  return sum;
}

void to_halves(const float* x, std::uint16_t* y, std::int64_t count) {
  const HalfVec largest = vdupq_n_f16(static_cast<float16_t>(65504.0f));
  const auto convert = [&](Vec low, Vec high) {
    const HalfVec halves = vcvt_high_f16_f32(vcvt_f16_f32(low), high);
    return vreinterpretq_u16_f16(vmaxq_f16(vminq_f16(halves, largest), vnegq_f16(largest)));
  };
  std::int64_t i = 0;
  for (; i + kHalfLanes <= count; i += kHalfLanes)
    vst1q_u16(y + i, convert(load(x + i), load(x + i + kLanes)));
  if (i == count) return;
  std::uint16_t last[kHalfLanes];
  vst1q_u16(last, convert(load(x + i, lanes_before(i, count)),
                          load(x + i + kLanes, lanes_before(i + kLanes, count))));
  for (std::int64_t j = 0; i < count; ++i, ++j) y[i] = last[j];
}

}  // namespace
}  // namespace skiff::cpu
