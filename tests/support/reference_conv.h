#pragma once

#include <cstdint>
#include <vector>

// Naive convolution, written from the definition in double precision; shares nothing with what it
// checks. Always three spatial axes.
namespace skiff::test {

struct ReferenceConv {
  std::int64_t batch = 1, cin = 1, cout = 1, groups = 1;
  std::vector<std::int64_t> in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  std::vector<std::int64_t> pad_begin{0, 0, 0}, out{1, 1, 1};
};

struct ReferenceResult {
  std::vector<double> value;
  std::vector<double> magnitude;  ///< the same sum over absolute values: bounds rounding errors
};

/// x [batch, in..., cin], w [cout, kernel..., cin / groups] -> [batch, out..., cout]
ReferenceResult reference_conv(const ReferenceConv& c, const float* x, const float* w);

/// The transpose: every input element is spread over a window of the output.
ReferenceResult reference_conv_transpose(const ReferenceConv& c, const float* x, const float* w);

}  // namespace skiff::test
