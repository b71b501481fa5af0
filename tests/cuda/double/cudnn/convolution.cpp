#include <algorithm>

#include "tests/cuda/double/cudnn/operations.h"
#include "tests/cuda/double/stored_number.h"

namespace cuda_double {
namespace {

/// A forward convolution read from its descriptors.
struct Convolution {
  TensorView x, w, y;
  Dims strides, dilations, pads, end_pads;
  cudnnDataType_t sums;

  explicit Convolution(const Descriptor& operation)
      : x(*operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)),
        w(*operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W)),
        y(*operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y)) {
    const Descriptor& c = *operation.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    strides = c.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
    dilations = c.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
    pads = c.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    end_pads = c.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    sums = c.get(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  }

  std::size_t spatial() const { return x.dims.size() - 2; }
  std::int64_t group_in() const { return w.dims[1]; }
  std::int64_t groups() const { return x.dims[1] / group_in(); }

  std::string fault() const {
    const std::size_t n = x.dims.size();
    if (n < 4 || w.dims.size() != n || y.dims.size() != n) return "ranks";
    if (strides.size() != n - 2 || dilations.size() != n - 2 || pads.size() != n - 2 ||
        end_pads.size() != n - 2)
      return "number of spatial axes";
    const bool of_integers = x.type == CUDNN_DATA_INT8 || x.type == CUDNN_DATA_UINT8;
    if (of_integers != (sums == CUDNN_DATA_INT32) || of_integers != (w.type == CUDNN_DATA_INT8) ||
        of_integers != (y.type == CUDNN_DATA_INT32))
      return "types";
    if (x.dims[1] % group_in() != 0 || w.dims[0] % groups() != 0) return "groups";
    if (y.dims[0] != x.dims[0] || y.dims[1] != w.dims[0]) return "batch or channels of the result";
    for (std::size_t i = 0; i < spatial(); ++i) {
      const std::int64_t window = dilations[i] * (w.dims[i + 2] - 1) + 1;
      const std::int64_t room = x.dims[i + 2] + pads[i] + end_pads[i] - window;
      if (y.dims[i + 2] != room / strides[i] + 1) return "extents of the result";
    }
    return "";
  }

  /// Where a tap of the window at an output position lies among x's pixels; -1: in the pads.
  std::int64_t pixel(const Dims& position, const Dims& tap) const {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < spatial(); ++i) {
      const std::int64_t at = position[i] * strides[i] - pads[i] + tap[i] * dilations[i];
      if (at < 0 || at >= x.dims[i + 2]) return -1;
      index = index * x.dims[i + 2] + at;
    }
    return index;
  }
};

}  // namespace

std::string convolution_fault(const Descriptor& operation) {
  for (const int name :
       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y})
    if (operation.child(name) == nullptr) return "an operand is missing";
  return Convolution(operation).fault();
}

namespace {

/// [rows, channels, places] as [rows, places, channels]: sums over channels run side by side.
std::vector<float> channels_last(const std::vector<float>& from, std::int64_t rows,
                                 std::int64_t channels, std::int64_t places) {
  std::vector<float> to(from.size());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < places; ++p)
        to[static_cast<std::size_t>((r * places + p) * channels + c)] =
            from[static_cast<std::size_t>((r * channels + c) * places + p)];
  return to;
}

std::int64_t spatial_elements(const Dims& dims) {
  std::int64_t count = 1;
  for (std::size_t axis = 2; axis < dims.size(); ++axis) count *= dims[axis];
  return count;
}

float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

void run_convolution(Execution& execution, const Descriptor& operation) {
  const Convolution c(operation);
  const Dims window(c.w.dims.begin() + 2, c.w.dims.end());
  const Dims places(c.y.dims.begin() + 2, c.y.dims.end());
  const std::int64_t pixels = spatial_elements(c.x.dims), taps = spatial_elements(c.w.dims);
  const std::int64_t cin = c.x.dims[1], cout = c.w.dims[0], group_out = cout / c.groups();
  auto x = channels_last(execution.read(c.x), c.x.dims[0], cin, pixels);
  auto w = channels_last(execution.read(c.w), cout, c.group_in(), taps);
  if (execution.tf32)
    for (auto* operand : {&x, &w}) std::ranges::transform(*operand, operand->begin(), to_tf32);
  std::vector<float> y(static_cast<std::size_t>(c.y.elements()));
  const std::int64_t out_pixels = spatial_elements(c.y.dims);
  for (std::int64_t image = 0; image < c.y.dims[0]; ++image)
    for_each_index(places, [&](std::int64_t place, const Dims& at) {
      for_each_index(window, [&](std::int64_t tap, const Dims& inside) {
        const std::int64_t pixel = c.pixel(at, inside);
        if (pixel < 0) return;
        for (std::int64_t o = 0; o < cout; ++o) {
          const std::int64_t first = (image * pixels + pixel) * cin + o / group_out * c.group_in();
          y[static_cast<std::size_t>((image * cout + o) * out_pixels + place)] +=
              dot(&x[static_cast<std::size_t>(first)],
                  &w[static_cast<std::size_t>((o * taps + tap) * c.group_in())], c.group_in());
        }
      });
    });
  execution.write(c.y, std::move(y));
}

}  // namespace cuda_double
