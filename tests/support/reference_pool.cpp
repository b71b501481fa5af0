#include "tests/support/reference_pool.h"

#include <cmath>
#include <limits>

namespace skiff::test {
namespace {

struct Position {
  std::int64_t at[3];
  bool in_input = true, in_padding = true;  // the second: inside the padded input
};

Position position(const ReferencePool& p, const std::int64_t (&o)[3], const std::int64_t (&k)[3]) {
  Position result{};
  result.in_input = result.in_padding = true;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::int64_t i =
        o[axis] * p.stride[axis] - p.pad_begin[axis] + k[axis] * p.dilation[axis];
    result.at[axis] = i;
    if (i < 0 || i >= p.in[axis]) result.in_input = false;
    if (i >= p.in[axis] + p.pad_end[axis]) result.in_padding = false;
  }
  return result;
}

}  // namespace

PoolResult reference_pool(const ReferencePool& p, const std::vector<double>& x) {
  PoolResult result;
  std::int64_t o[3], k[3];
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (o[0] = 0; o[0] < p.out[0]; ++o[0])
      for (o[1] = 0; o[1] < p.out[1]; ++o[1])
        for (o[2] = 0; o[2] < p.out[2]; ++o[2])
          for (std::int64_t c = 0; c < p.channels; ++c) {
            double best = -std::numeric_limits<double>::infinity(), sum = 0;
            std::int64_t pixel = -1, count = 0;
            for (k[0] = 0; k[0] < p.kernel[0]; ++k[0])
              for (k[1] = 0; k[1] < p.kernel[1]; ++k[1])
                for (k[2] = 0; k[2] < p.kernel[2]; ++k[2]) {
                  const Position at = position(p, o, k);
                  if (at.in_input || (p.count_include_pad && at.in_padding)) ++count;
                  if (!at.in_input) continue;
                  const std::int64_t i = (at.at[0] * p.in[1] + at.at[1]) * p.in[2] + at.at[2];
                  const std::int64_t image = b * p.in[0] * p.in[1] * p.in[2];
                  const double v = x[static_cast<std::size_t>((image + i) * p.channels + c)];
                  if (v > best || (std::isnan(v) && !std::isnan(best))) best = v, pixel = i;
                  sum += p.kind == PoolKind::lp ? std::pow(std::abs(v), p.p) : v;
                }
            result.pixel.push_back(pixel);
            result.value.push_back(p.kind == PoolKind::maximum ? best
                                   : p.kind == PoolKind::lp    ? std::pow(sum, 1 / p.p)
                                                               : sum / static_cast<double>(count));
          }
  return result;
}

}  // namespace skiff::test
