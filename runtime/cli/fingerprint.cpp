#include "runtime/cli/fingerprint.h"

#include <cmath>
#include <limits>

#include "runtime/cli/tensors.h"

namespace skiff::cli {
namespace {

constexpr std::size_t kMostProjections = 8;

// Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
bool is_minus(std::uint64_t state) noexcept {
  std::uint64_t z = state + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) >> 63 != 0;
}

}  // namespace

double estimated_error(const Tensor& value, const fb::Fingerprint& expected) noexcept {
  const auto* sums = expected.projections();
  const std::size_t given = sums == nullptr ? 0 : sums->size();
  const std::size_t projections = given < kMostProjections ? given : kMostProjections;
  double own[kMostProjections] = {};
  double squares = 0;
  const auto count = static_cast<std::size_t>(value.shape().elements());
  for (std::size_t i = 0; i < count; ++i) {
    const double x = number_at(value.dtype(), value.bytes().data(), i);
    for (std::size_t p = 0; p < projections; ++p) own[p] += is_minus(8 * i + p) ? -x : x;
    squares += x * x;
  }
  double error = std::abs(std::sqrt(squares) - expected.l2());
  double sum = 0;
  for (std::size_t p = 0; p < projections; ++p) {
    const double d = own[p] - sums->Get(static_cast<unsigned>(p));
    sum += d * d;
  }
  if (projections > 0) error = std::fmax(error, std::sqrt(sum / static_cast<double>(projections)));
  if (!std::isfinite(error) || !std::isfinite(sum)) return std::numeric_limits<double>::infinity();
  return error == 0          ? 0
         : expected.l2() > 0 ? error / expected.l2()
                             : std::numeric_limits<double>::infinity();
}

}  // namespace skiff::cli
