#include <algorithm>

#include "runtime/vision/boxes.h"
#include "runtime/vision/geometry.h"
#include "runtime/vision/scores.h"

namespace skiff {
namespace {

std::vector<Detection> raw_boxes(const Session& session, const Postprocessing& p) {
  if (p.kind == PostprocessKind::detect_anchors) return vision::anchor_boxes(session, p);
  if (p.kind == PostprocessKind::detect_corners) return vision::corner_boxes(session, p);
  return vision::grid_boxes(session, p);
}

}  // namespace

std::size_t detect(const Session& session, const Placement& placement, std::span<Detection> found) {
  using enum PostprocessKind;
  const Postprocessing p =
      vision::postprocessing(session, {detect_anchors, detect_corners, detect_grid}, "detections");
  const vision::Extent input = vision::picture_extent(session);
  std::vector<Detection> boxes = raw_boxes(session, p);
  const auto to_picture = [](float& at, int extent, float offset, float scale) {
    at = (at * static_cast<float>(extent) - offset) / scale;
  };
  for (Detection& box : boxes) {
    for (float* x : {&box.x1, &box.x2})
      to_picture(*x, input.width, placement.offset_x, placement.scale_x);
    for (float* y : {&box.y1, &box.y2})
      to_picture(*y, input.height, placement.offset_y, placement.scale_y);
  }
  boxes = vision::suppress(std::move(boxes), p.iou_threshold, found.size());
  std::copy(boxes.begin(), boxes.end(), found.begin());
  return boxes.size();
}

}  // namespace skiff
