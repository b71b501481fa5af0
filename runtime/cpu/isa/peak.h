#pragma once

#include "runtime/cpu/isa/simd.h"

namespace skiff::cpu {
namespace {

/// Twelve chains: enough to fill two units of four cycles' latency, and few enough for 16
/// registers.
double multiply_adds(std::int64_t rounds) {
  constexpr int kChains = 12;
  const Vec factor = splat(0.5f), term = splat(1.0f);
  Vec chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = splat(static_cast<float>(i));
  for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = fma(chain[i], factor, term);
  Vec total = chain[0];
  for (int i = 1; i < kChains; ++i) total = add(total, chain[i]);
  float lanes[kLanes];
  store(lanes, total);
  volatile float sink = lanes[0];
  static_cast<void>(sink);
  return 2.0 * kChains * kLanes * static_cast<double>(rounds);
}

}  // namespace
}  // namespace skiff::cpu
