#include "runtime/vision/boxes.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/error.h"
#include "runtime/vision/scores.h"

namespace skiff::vision {
namespace {

constexpr auto kBad = ErrorCode::invalid_argument;

/// What detect_anchors and detect_corners share: N boxes and the scores of their classes.
struct Candidates {
  std::vector<float> boxes, scores;
  std::size_t count = 0, box_size = 0, classes = 0;
};

Candidates candidates(const Session& session, const Postprocessing& p, std::size_t least) {
  const Tensor boxes = session.output(static_cast<std::size_t>(p.boxes));
  const Tensor scores = session.output(static_cast<std::size_t>(p.scores));
  const Shape &b = boxes.shape(), &s = scores.shape();
  const bool fits = b.rank() == 3 && s.rank() == 3 && b[0] == 1 && s[0] == 1 && b[1] == s[1] &&
                    b[2] >= static_cast<std::int64_t>(least) && s[2] > 0;
  require(fits, kBad, "boxes ", b, " and scores ", s, ": should be [1, N, ", least,
          "] and [1, N, classes]");
  Candidates result{real_values(boxes), real_values(scores), static_cast<std::size_t>(b[1]),
                    static_cast<std::size_t>(b[2]), static_cast<std::size_t>(s[2])};
  apply(p, result.scores, result.classes);
  return result;
}

/// The best class that is no background.
Detection best_class(std::span<const float> scores, int background) noexcept {
  Detection best{.label = -1};
  for (std::size_t c = 0; c < scores.size(); ++c)
    if (static_cast<int>(c) != background && scores[c] > best.score)
      best.label = static_cast<int>(c), best.score = scores[c];
  return best;
}

/// Corners from the centre and the extents.
void set_corners(Detection& box, float cx, float cy, float w, float h) noexcept {
  box.x1 = cx - w / 2;
  box.y1 = cy - h / 2;
  box.x2 = cx + w / 2;
  box.y2 = cy + h / 2;
}

bool is_finite(const Detection& box) noexcept {
  return std::isfinite(box.x1 + box.y1 + box.x2 + box.y2 + box.score);
}

/// Calls f(candidate, box as the output gives it) for each over the threshold.
template <typename F>
std::vector<Detection> select(const Candidates& all, const Postprocessing& p, F&& f) {
  std::vector<Detection> found;
  for (std::size_t i = 0; i < all.count; ++i) {
    const std::span scores(all.scores);
    Detection box = best_class(scores.subspan(i * all.classes, all.classes), p.background);
    if (box.label < 0 || box.score < p.score_threshold) continue;
    f(box, i, &all.boxes[i * all.box_size]);
    if (is_finite(box)) found.push_back(box);
  }
  return found;
}

}  // namespace

std::vector<Detection> anchor_boxes(const Session& session, const Postprocessing& p) {
  const auto values = 4 + 2 * static_cast<std::size_t>(p.keypoints);
  const Candidates all = candidates(session, p, values);
  require(p.anchors.size() == 4 * all.count, kBad, "the model has ", p.anchors.size() / 4,
          " anchors for ", all.count, " boxes");
  return select(all, p, [&](Detection& box, std::size_t i, const float* raw) {
    const float* anchor = &p.anchors[4 * i];
    const float w = anchor[2] / p.box_scale, h = anchor[3] / p.box_scale;
    set_corners(box, raw[0] * w + anchor[0], raw[1] * h + anchor[1], raw[2] * w, raw[3] * h);
  });
}

std::vector<Detection> corner_boxes(const Session& session, const Postprocessing& p) {
  return select(candidates(session, p, 4), p, [](Detection& box, std::size_t, const float* raw) {
    box.x1 = raw[0];
    box.y1 = raw[1];
    box.x2 = raw[2];
    box.y2 = raw[3];
  });
}

// Decoding as in FastestDet: a cell's score is objectness^0.6 * class^0.4, its centre lies tanh()
// cells from the cell's corner and its extents are sigmoid() of the picture.
std::vector<Detection> grid_boxes(const Session& session, const Postprocessing& p) {
  const Tensor output = session.output(static_cast<std::size_t>(p.scores));
  const Shape& shape = output.shape();
  require(shape.rank() == 4 && shape[0] == 1 && shape[1] > 5, kBad, "scores ", shape,
          ": should be [1, 5 + classes, height, width]");
  const std::vector<float> values = real_values(output);
  const auto height = static_cast<std::size_t>(shape[2]),
             width = static_cast<std::size_t>(shape[3]);
  const std::size_t cells = height * width, classes = static_cast<std::size_t>(shape[1]) - 5;
  std::vector<float> scores(classes);
  std::vector<Detection> found;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const auto at = [&](std::size_t channel) { return values[channel * cells + cell]; };
    for (std::size_t c = 0; c < classes; ++c) scores[c] = at(5 + c);
    Detection box = best_class(scores, p.background);
    box.score = std::pow(at(0), 0.6f) * std::pow(box.score, 0.4f);
    if (box.label < 0 || !(box.score >= p.score_threshold)) continue;
    const float cx =
        (std::tanh(at(1)) + static_cast<float>(cell % width)) / static_cast<float>(width);
    const float cy =
        (std::tanh(at(2)) + static_cast<float>(cell / width)) / static_cast<float>(height);
    set_corners(box, cx, cy, sigmoid(at(3)), sigmoid(at(4)));
    if (is_finite(box)) found.push_back(box);
  }
  return found;
}

float overlap(const Detection& a, const Detection& b) noexcept {
  const auto area = [](float x1, float y1, float x2, float y2) {
    return std::max(x2 - x1, 0.0f) * std::max(y2 - y1, 0.0f);
  };
  const float both =
      area(std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2));
  const float any = area(a.x1, a.y1, a.x2, a.y2) + area(b.x1, b.y1, b.x2, b.y2) - both;
  return any > 0 ? both / any : 0;
}

std::vector<Detection> suppress(std::vector<Detection> boxes, float iou_threshold,
                                std::size_t most) {
  const auto less = [](const Detection& a, const Detection& b) { return a.score < b.score; };
  std::vector<Detection> kept;
  while (!boxes.empty() && kept.size() < most) {
    const auto best = std::max_element(boxes.begin(), boxes.end(), less);
    kept.push_back(*best);
    boxes.erase(best);
    const Detection& better = kept.back();
    std::erase_if(boxes, [&](const Detection& box) {
      return better.label == box.label && overlap(better, box) > iou_threshold;
    });
  }
  return kept;
}

}  // namespace skiff::vision
