#pragma once

#include <skiff/session.h>
#include <skiff/vision.h>

#include <vector>

namespace skiff::vision {

/// All boxes over the threshold as the outputs give them, in [0, 1] of the input. A kind each; they
/// throw Error{invalid_argument} when the outputs' shapes do not fit the description.
std::vector<Detection> anchor_boxes(const Session& session, const Postprocessing& p);
std::vector<Detection> corner_boxes(const Session& session, const Postprocessing& p);
std::vector<Detection> grid_boxes(const Session& session, const Postprocessing& p);

/// Area of the intersection over that of the union; 0 for empty boxes.
float overlap(const Detection& a, const Detection& b) noexcept;

/// Greedy non-maximum suppression in each class, best first, at most `most` boxes.
std::vector<Detection> suppress(std::vector<Detection> boxes, float iou_threshold,
                                std::size_t most);

}  // namespace skiff::vision
