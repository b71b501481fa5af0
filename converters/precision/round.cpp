#include "converters/precision/round.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/core/half.h"

namespace skiff::precision {
namespace {

/// Half a unit in the last place of a normal number, relative to it, at most.
double roundoff(DType type) noexcept { return type == DType::float16 ? 0x1p-11 : 0x1p-8; }

/// What a constant may lose, in roundoffs.
constexpr double kLoss = 8;

}  // namespace

double largest_of(DType type) noexcept {
  return static_cast<double>(type == DType::float16 ? half_to_float(0x7bff)
                                                    : bfloat16_to_float(0x7f7f));
}

Rounded round_constant(const ir::Value& constant, DType type) {
  const std::vector<std::byte>& from = *constant.constant;
  const std::size_t count = from.size() / sizeof(float);
  Rounded result;
  result.bytes.resize(count * sizeof(std::uint16_t));
  double squares = 0, error = 0, beyond = 0;
  for (std::size_t i = 0; i < count; ++i) {
    float exact = 0;
    std::memcpy(&exact, from.data() + i * sizeof exact, sizeof exact);
    const bool half = type == DType::float16;
    const std::uint16_t bits = half ? float_to_half(exact) : float_to_bfloat16(exact);
    std::memcpy(result.bytes.data() + i * sizeof bits, &bits, sizeof bits);
    if (!std::isfinite(exact)) continue;
    const double x = static_cast<double>(exact);
    const double back = static_cast<double>(half ? half_to_float(bits) : bfloat16_to_float(bits));
    if (!std::isfinite(back)) beyond = std::max(beyond, std::abs(x));
    squares += x * x;
    error += (x - back) * (x - back);
  }
  result.finite = beyond == 0;
  if (beyond > 0)
    result.loss = message("constant '", constant.name, "' reaches ", beyond, ", ", type,
                          " ends at ", largest_of(type));
  else if (std::sqrt(error) > kLoss * roundoff(type) * std::sqrt(squares))
    result.loss = message("constant '", constant.name, "' loses ", std::sqrt(error / squares),
                          " of itself (relative L2) in ", type);
  return result;
}

}  // namespace skiff::precision
