#include "converters/fingerprint.h"

#include <algorithm>
#include <cmath>

namespace skiff::convert {
namespace {

std::uint64_t splitmix64(std::uint64_t state) {
  std::uint64_t z = state + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

fb::FingerprintT fingerprint(const ir::Graph& graph, ir::ValueId id) {
  fb::FingerprintT result;
  result.value = id;
  result.projections.assign(kProjections, 0.0);
  double squares = 0;
  std::uint64_t index = 0;
  for (double number : ir::numbers(graph.value(id))) {
    for (std::size_t p = 0; p < kProjections; ++p) {
      const bool minus = splitmix64(index * 8 + p) >> 63 != 0;
      result.projections[p] += minus ? -number : number;
    }
    squares += number * number;
    result.max_abs = std::max(result.max_abs, std::abs(number));
    ++index;
  }
  result.l2 = std::sqrt(squares);
  return result;
}

}  // namespace skiff::convert
