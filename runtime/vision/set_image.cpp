#include <skiff/session.h>

#include <cmath>
#include <limits>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/vision/geometry.h"

namespace skiff {
namespace {

using vision::Extent;
using vision::kMaxExtent;
using vision::Sample;

void check(const Image& image) {
  const bool good = image.pixels != nullptr && image.width > 0 && image.height > 0 &&
                    image.width <= kMaxExtent && image.height <= kMaxExtent;
  require(good, ErrorCode::invalid_argument, "picture of ", image.width, " x ", image.height,
          " pixels: should have pixels, and 1 to ", kMaxExtent, " of them in each direction");
  require(image.channels == 1 || image.channels == 3 || image.channels == 4,
          ErrorCode::invalid_argument, "picture of ", image.channels,
          " channels: should be 1 (grey), 3 (RGB) or 4 (RGBA)");
}

/// Channel `channel` of the wanted colour order at one pixel, 0..255.
float channel_of(const Image& image, int x, int y, ColorOrder color, int channel) noexcept {
  const std::uint8_t* pixel =
      image.pixels + (static_cast<std::int64_t>(y) * image.width + x) * image.channels;
  if (image.channels == 1) return pixel[0];
  if (color == ColorOrder::gray)  // luma of ITU-R BT.601
    return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
  return pixel[color == ColorOrder::bgr ? 2 - channel : channel];
}

float bilinear(const Image& image, const Sample& x, const Sample& y, ColorOrder color,
               int channel) noexcept {
  const auto row = [&](int at) {
    const float left = channel_of(image, x.first, at, color, channel);
    const float right = channel_of(image, x.second, at, color, channel);
    return left + (right - left) * x.fraction;
  };
  const float top = row(y.first), bottom = row(y.second);
  return top + (bottom - top) * y.fraction;
}

/// Stores a number in an input's own type.
template <typename T>
T stored(float value, const Quantization& q) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return value;
  } else {
    if (!q.scale.empty()) value /= q.scale[0];
    if (!q.zero_point.empty()) value += static_cast<float>(q.zero_point[0]);
    constexpr auto least = static_cast<float>(std::numeric_limits<T>::min());
    constexpr auto most = static_cast<float>(std::numeric_limits<T>::max());
    return static_cast<T>(std::fmax(std::fmin(std::nearbyint(value), most), least));
  }
}

/// The numbers of one line of channel `channel`, before they are stored.
void sample_line(const Image& image, const Preprocessing& p, std::span<const Sample> columns,
                 const Sample& row, int channel, std::span<float> line) noexcept {
  const auto at = static_cast<std::size_t>(channel);
  const float mean = p.mean.empty() ? 0 : p.mean[at], std = p.std.empty() ? 1 : p.std[at];
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const bool inside = columns[x].inside && row.inside;
    const float pixel = inside ? bilinear(image, columns[x], row, p.color, channel) : p.pad_value;
    line[x] = (pixel / 255 * p.pixel_scale - mean) / std;
  }
}

template <typename T>
void store_line(std::span<const float> line, const Tensor& tensor, std::int64_t offset,
                std::int64_t step) {
  const Quantization& quantization = tensor.quantization();
  T* to = tensor.values<T>().data() + offset;
  for (const float value : line) {
    *to = stored<T>(value, quantization);
    to += step;
  }
}

void store_line(std::span<const float> line, const Tensor& tensor, std::int64_t offset,
                std::int64_t step) {
  if (tensor.dtype() == DType::float32)
    store_line<float>(line, tensor, offset, step);
  else if (tensor.dtype() == DType::uint8)
    store_line<std::uint8_t>(line, tensor, offset, step);
  else
    store_line<std::int8_t>(line, tensor, offset, step);
}

void fill(const Image& image, const Preprocessing& p, const Extent& extent,
          const Placement& placement, const Tensor& tensor) {
  const auto columns = vision::samples(extent.width, -placement.offset_x / placement.scale_x,
                                       1 / placement.scale_x, image.width);
  const auto rows = vision::samples(extent.height, -placement.offset_y / placement.scale_y,
                                    1 / placement.scale_y, image.height);
  const Shape& shape = tensor.shape();
  const auto stride = [&](int axis) { return shape.elements(axis + 1, shape.rank()); };
  std::vector<float> line(columns.size());
  for (int c = 0; c < static_cast<int>(shape[p.channel_axis]); ++c) {
    std::int64_t offset = c * stride(p.channel_axis);
    for (const Sample& row : rows) {
      sample_line(image, p, columns, row, c, line);
      store_line(line, tensor, offset, stride(p.width_axis));
      offset += stride(p.height_axis);
    }
  }
}

}  // namespace

Placement set_image(Session& session, const Image& image, std::size_t input) {
  check(image);
  const Extent extent = vision::input_extent(session, input);
  const Preprocessing p = session.model().preprocessing(input);
  const Tensor tensor = session.input(input);
  const Placement placement = vision::place({image.width, image.height}, extent, p.fit);
  std::int64_t batch = tensor.shape().elements();
  for (int axis : {p.height_axis, p.width_axis, p.channel_axis}) batch /= tensor.shape()[axis];
  require(batch == 1, ErrorCode::invalid_argument, "input '", tensor.name(), "' takes ", batch,
          " pictures at once; set_image() fills one");
  const DType dtype = tensor.dtype();
  require(dtype == DType::float32 || dtype == DType::uint8 || dtype == DType::int8,
          ErrorCode::unsupported, "input '", tensor.name(), "' holds ", dtype,
          "; pictures become float32, uint8 or int8");
  fill(image, p, extent, placement, tensor);
  return placement;
}

}  // namespace skiff
