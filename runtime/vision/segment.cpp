#include <algorithm>
#include <cmath>

#include "runtime/core/error.h"
#include "runtime/vision/geometry.h"
#include "runtime/vision/scores.h"

namespace skiff {
namespace {

/// The scores of one picture, wherever their channels lie.
struct ScoreMap {
  std::vector<float> values;
  int height = 0, width = 0, channels = 0;
  std::int64_t step_y = 0, step_x = 0, step_channel = 0;

  float at(int y, int x, int c) const noexcept {
    return values[static_cast<std::size_t>(y * step_y + x * step_x + c * step_channel)];
  }
};

ScoreMap score_map(const Session& session, const Postprocessing& p) {
  const Tensor output = session.output(static_cast<std::size_t>(p.scores));
  const Shape& shape = output.shape();
  const bool last = p.channel_axis < 0 || p.channel_axis == 3;
  require(shape.rank() == 4 && shape[0] == 1 && (last || p.channel_axis == 1),
          ErrorCode::invalid_argument, "scores ", shape,
          ": should be [1, H, W, classes] or [1, classes, H, W]");
  const int row = last ? 1 : 2, channel = last ? 3 : 1;
  require(shape.elements() > 0 && std::max(shape[row], shape[row + 1]) <= vision::kMaxExtent,
          ErrorCode::unsupported, "scores ", shape, " are no picture's");
  ScoreMap map{.values = vision::real_values(output),
               .height = static_cast<int>(shape[row]),
               .width = static_cast<int>(shape[row + 1]),
               .channels = static_cast<int>(shape[channel]),
               .step_y = shape.elements(row + 1, 4),
               .step_x = shape.elements(row + 2, 4),
               .step_channel = shape.elements(channel + 1, 4)};
  // Argmax needs no softmax; one channel has only its sigmoid.
  Postprocessing alone = p;
  alone.apply_softmax = false;
  vision::apply(alone, map.values, 1);
  return map;
}

float bilinear(const ScoreMap& map, const vision::Sample& x, const vision::Sample& y,
               int c) noexcept {
  const auto row = [&](int at) {
    const float left = map.at(at, x.first, c), right = map.at(at, x.second, c);
    return left + (right - left) * x.fraction;
  };
  const float top = row(y.first);
  return top + (row(y.second) - top) * y.fraction;
}

std::uint8_t pixel(const ScoreMap& map, const vision::Sample& x, const vision::Sample& y) noexcept {
  if (map.channels == 1) {
    const float score = bilinear(map, x, y, 0);
    return static_cast<std::uint8_t>(std::lround(255 * std::fmax(std::fmin(score, 1.0f), 0.0f)));
  }
  int best = 0;
  float most = bilinear(map, x, y, 0);
  for (int c = 1; c < map.channels; ++c)
    if (const float score = bilinear(map, x, y, c); score > most) most = score, best = c;
  return static_cast<std::uint8_t>(std::min(best, 255));
}

}  // namespace

void segment(const Session& session, const Placement& placement, int width, int height,
             std::span<std::uint8_t> mask) {
  const Postprocessing p = vision::postprocessing(session, {PostprocessKind::segment}, "a mask");
  const bool fits =
      width > 0 && height > 0 &&
      mask.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  require(fits, ErrorCode::invalid_argument, "mask of ", mask.size(), " bytes for ", width, " x ",
          height, " pixels");
  const ScoreMap map = score_map(session, p);
  const vision::Extent input = vision::picture_extent(session);
  const float to_x = static_cast<float>(map.width) / static_cast<float>(input.width);
  const float to_y = static_cast<float>(map.height) / static_cast<float>(input.height);
  const auto columns =
      vision::samples(width, placement.offset_x * to_x, placement.scale_x * to_x, map.width);
  const auto rows =
      vision::samples(height, placement.offset_y * to_y, placement.scale_y * to_y, map.height);
  auto out = mask.begin();
  for (const vision::Sample& y : rows)
    for (const vision::Sample& x : columns) *out++ = pixel(map, x, y);
}

}  // namespace skiff
