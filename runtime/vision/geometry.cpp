#include "runtime/vision/geometry.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/error.h"

namespace skiff::vision {

Extent input_extent(const Session& session, std::size_t input) {
  const Model& model = session.model();
  require(input < model.input_count(), ErrorCode::invalid_argument, "the model has no input ",
          input);
  const Preprocessing p = model.preprocessing(input);
  const TensorDesc desc = session.input(input).desc();
  require(p.present, ErrorCode::invalid_argument, "input '", desc.name,
          "' takes no pictures: the model file stores no preprocessing for it (skiff-convert "
          "--task or --mean, --std, --color)");
  const std::int64_t width = desc.shape[p.width_axis], height = desc.shape[p.height_axis];
  require(width > 0 && height > 0 && std::max(width, height) <= kMaxExtent, ErrorCode::unsupported,
          "input '", desc.name, "' ", desc.shape, " takes pictures of ", width, " x ", height,
          " pixels: should be 1 to ", kMaxExtent, " in each direction");
  return {static_cast<int>(width), static_cast<int>(height)};
}

Extent picture_extent(const Session& session) {
  const Model& model = session.model();
  std::size_t input = 0;
  while (input + 1 < model.input_count() && !model.preprocessing(input).present) ++input;
  return input_extent(session, input);
}

Placement place(const Extent& picture, const Extent& input, FitMode fit) noexcept {
  const float x = static_cast<float>(input.width) / static_cast<float>(picture.width);
  const float y = static_cast<float>(input.height) / static_cast<float>(picture.height);
  if (fit == FitMode::stretch) return {x, y, 0, 0};
  const float scale = fit == FitMode::letterbox ? std::min(x, y) : std::max(x, y);
  const auto centred = [scale](int inner, int outer) {
    return (static_cast<float>(outer) - scale * static_cast<float>(inner)) / 2;
  };
  return {scale, scale, centred(picture.width, input.width), centred(picture.height, input.height)};
}

std::vector<Sample> samples(int count, float start, float step, int extent) {
  std::vector<Sample> result(static_cast<std::size_t>(count));
  const auto last = static_cast<float>(extent - 1);
  for (int i = 0; i < count; ++i) {
    const float position = (static_cast<float>(i) + 0.5f) * step + start;
    const float centre = std::fmin(std::fmax(position - 0.5f, 0.0f), last);  // NaN becomes 0
    Sample& sample = result[static_cast<std::size_t>(i)];
    sample.first = static_cast<int>(centre);
    sample.second = std::min(sample.first + 1, extent - 1);
    sample.fraction = centre - std::floor(centre);
    sample.inside = position >= 0 && position <= static_cast<float>(extent);
  }
  return result;
}

}  // namespace skiff::vision
