#include "tests/support/reference_conv.h"

#include <cmath>
#include <cstddef>

namespace skiff::test {
namespace {

/// Calls f(x index, w index, y index) for every product of a convolution whose output positions o
/// and input positions i satisfy i = o stride - pad + k dilation.
template <typename F>
void each_product(const ReferenceConv& c, const std::vector<std::int64_t>& from,
                  const std::vector<std::int64_t>& to, F&& f) {
  const std::int64_t gin = c.cin / c.groups, gout = c.cout / c.groups;
  for (std::int64_t b = 0; b < c.batch; ++b)
    for (std::int64_t oz = 0; oz < to[0]; ++oz)
      for (std::int64_t oy = 0; oy < to[1]; ++oy)
        for (std::int64_t ox = 0; ox < to[2]; ++ox)
          for (std::int64_t kz = 0; kz < c.kernel[0]; ++kz)
            for (std::int64_t ky = 0; ky < c.kernel[1]; ++ky)
              for (std::int64_t kx = 0; kx < c.kernel[2]; ++kx) {
                const std::int64_t iz = oz * c.stride[0] - c.pad_begin[0] + kz * c.dilation[0];
                const std::int64_t iy = oy * c.stride[1] - c.pad_begin[1] + ky * c.dilation[1];
                const std::int64_t ix = ox * c.stride[2] - c.pad_begin[2] + kx * c.dilation[2];
                if (iz < 0 || iy < 0 || ix < 0 || iz >= from[0] || iy >= from[1] || ix >= from[2])
                  continue;
                const std::int64_t i = ((b * from[0] + iz) * from[1] + iy) * from[2] + ix;
                const std::int64_t o = ((b * to[0] + oz) * to[1] + oy) * to[2] + ox;
                const std::int64_t k = (kz * c.kernel[1] + ky) * c.kernel[2] + kx;
                const std::int64_t taps = c.kernel[0] * c.kernel[1] * c.kernel[2];
                for (std::int64_t n = 0; n < c.cout; ++n)
                  for (std::int64_t m = 0; m < gin; ++m)
                    f(i, n / gout * gin + m, (n * taps + k) * gin + m, o, n);
              }
}

ReferenceResult zeros(std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  return {std::vector<double>(size), std::vector<double>(size)};
}

std::int64_t outputs(const ReferenceConv& c) {
  return c.batch * c.out[0] * c.out[1] * c.out[2] * c.cout;
}

}  // namespace

ReferenceResult reference_conv(const ReferenceConv& c, const float* x, const float* w) {
  ReferenceResult result = zeros(outputs(c));
  each_product(
      c, c.in, c.out,
      [&](std::int64_t i, std::int64_t ci, std::int64_t k, std::int64_t o, std::int64_t n) {
        const double product = static_cast<double>(x[i * c.cin + ci]) * w[k];
        result.value[static_cast<std::size_t>(o * c.cout + n)] += product;
        result.magnitude[static_cast<std::size_t>(o * c.cout + n)] += std::abs(product);
      });
  return result;
}

ReferenceResult reference_conv_transpose(const ReferenceConv& c, const float* x, const float* w) {
  // The roles of input and output positions are exchanged; channels are not.
  ReferenceResult result = zeros(outputs(c));
  each_product(
      c, c.out, c.in,
      [&](std::int64_t o, std::int64_t ci, std::int64_t k, std::int64_t i, std::int64_t n) {
        const double product = static_cast<double>(x[i * c.cin + ci]) * w[k];
        result.value[static_cast<std::size_t>(o * c.cout + n)] += product;
        result.magnitude[static_cast<std::size_t>(o * c.cout + n)] += std::abs(product);
      });
  return result;
}

}  // namespace skiff::test
