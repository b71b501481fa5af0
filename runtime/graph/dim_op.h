#pragma once

#include <algorithm>
#include <cstdint>

#include "schema/skiff_generated.h"

namespace skiff {

/// What an operator of a dim expression gives. Divisors are positive; nothing may overflow.
constexpr std::int64_t apply(fb::DimOp op, std::int64_t a, std::int64_t b) noexcept {
  constexpr auto floor_div = [](std::int64_t x, std::int64_t y) {
    return x / y - (x % y < 0 ? 1 : 0);
  };
  switch (op) {
    case fb::DimOp::add:
      return a + b;
    case fb::DimOp::sub:
      return a - b;
    case fb::DimOp::mul:
      return a * b;
    case fb::DimOp::floor_div:
      return floor_div(a, b);
    case fb::DimOp::ceil_div:
      return -floor_div(-a, b);
    case fb::DimOp::mod:
      return a - floor_div(a, b) * b;
    case fb::DimOp::minimum:
      return std::min(a, b);
    default:
      return std::max(a, b);
  }
}

}  // namespace skiff
