#include <algorithm>

#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {

std::int64_t most_non_max_suppression(const NodeView& node) {
  const Shape &boxes = node.input(0).shape, &scores = node.input(1).shape;
  const std::int64_t most = node.attrs<fb::NmsAttrs>().max_output_boxes_per_class();
  check(node, boxes.rank() == 3 && boxes[2] == 4, "boxes are ", boxes, ", must be [B, N, 4]");
  check(node, scores.rank() == 3 && scores[0] == boxes[0] && scores[2] == boxes[1], "scores are ",
        scores, ", must be [B, C, N] for boxes ", boxes);
  check(node, most >= 0, "max_output_boxes_per_class is ", most);
  return scores[0] * scores[1] * std::min(most, boxes[1]);  // no more than the scores' elements
}

/// The boxes that are kept of every class of every picture, best first: int64 [count, 3] of
/// (batch, class, box).
void infer_non_max_suppression(const NodeView& node, std::span<TensorInfo> outputs) {
  for (int i : {0, 1})
    check(node, node.input(i).dtype == DType::float32, "operand ", i, " is ", node.input(i).dtype,
          ", must be float32");
  outputs[0].dtype = DType::int64;
  outputs[0].shape = {count_or(node, most_non_max_suppression(node)), 3};
}

}  // namespace skiff
