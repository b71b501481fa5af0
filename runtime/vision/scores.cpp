#include "runtime/vision/scores.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/error.h"

namespace skiff::vision {
namespace {

template <typename T>
std::vector<float> dequantized(const Tensor& output) {
  const Quantization& q = output.quantization();
  const float scale = q.scale.empty() ? 1 : q.scale[0];
  const float zero = q.zero_point.empty() ? 0 : static_cast<float>(q.zero_point[0]);
  std::vector<float> result;
  for (T value : output.values<T>()) result.push_back((static_cast<float>(value) - zero) * scale);
  return result;
}

void softmax(std::span<float> x) noexcept {
  const float most = *std::max_element(x.begin(), x.end());
  float sum = 0;
  for (float& value : x) sum += value = std::exp(value - most);
  for (float& value : x) value /= sum;
}

}  // namespace

Postprocessing postprocessing(const Session& session, std::initializer_list<PostprocessKind> kinds,
                              const char* wanted) {
  const Postprocessing p = session.model().postprocessing();
  require(std::find(kinds.begin(), kinds.end(), p.kind) != kinds.end(), ErrorCode::invalid_argument,
          "the model file does not say how its outputs become ", wanted, " (skiff-convert --task)");
  return p;
}

std::vector<float> real_values(const Tensor& output) {
  if (output.dtype() == DType::uint8) return dequantized<std::uint8_t>(output);
  if (output.dtype() == DType::int8) return dequantized<std::int8_t>(output);
  require(output.dtype() == DType::float32, ErrorCode::unsupported, "output '", output.name(),
          "' holds ", output.dtype(), "; scores and boxes are float32, uint8 or int8");
  const auto values = output.values<float>();
  return {values.begin(), values.end()};
}

float sigmoid(float x) noexcept { return 1 / (1 + std::exp(-x)); }

void apply(const Postprocessing& p, std::span<float> scores, std::size_t classes) noexcept {
  if (p.score_clip > 0)
    for (float& score : scores) score = std::clamp(score, -p.score_clip, p.score_clip);
  if (p.apply_sigmoid)
    for (float& score : scores) score = sigmoid(score);
  if (p.apply_softmax && classes > 0)
    for (std::size_t i = 0; i + classes <= scores.size(); i += classes)
      softmax(scores.subspan(i, classes));
}

}  // namespace skiff::vision
