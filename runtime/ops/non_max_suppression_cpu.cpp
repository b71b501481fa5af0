#include <algorithm>

#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/counted.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

struct Box {
  float low[2], high[2];
  float area() const noexcept { return (high[0] - low[0]) * (high[1] - low[1]); }
};

/// Four numbers: two opposite corners in any order, or (x, y, width, height) around a center.
Box read_box(const float* from, bool center) noexcept {
  Box box;
  for (int i : {0, 1}) {
    const float a = center ? from[i] - from[i + 2] / 2 : from[i];
    const float b = center ? from[i] + from[i + 2] / 2 : from[i + 2];
    box.low[i] = std::min(a, b);
    box.high[i] = std::max(a, b);
  }
  return box;
}

/// Intersection over union; 0 where a box is empty.
float overlap(const Box& a, const Box& b) noexcept {
  const float areas[] = {a.area(), b.area()};
  if (!(areas[0] > 0) || !(areas[1] > 0)) return 0;
  float common = 1;
  for (int i : {0, 1})
    common *= std::max(0.0f, std::min(a.high[i], b.high[i]) - std::max(a.low[i], b.low[i]));
  return common / (areas[0] + areas[1] - common);
}

/// Greedy: boxes by falling score, each kept unless it overlaps a kept one too much. Classes are
/// worked on one beside the other; their lists are joined in order.
class NmsKernel final : public Kernel {
 public:
  NmsKernel(const KernelSpec& spec, const fb::NmsAttrs& attrs)
      : classes_(spec.input(1).shape[1]),
        lists_(spec.input(1).shape[0] * classes_),
        boxes_(spec.input(0).shape[1]),
        most_(std::min(attrs.max_output_boxes_per_class(), boxes_)),
        threads_(spec.threads),
        room_(room_for(spec, most_non_max_suppression(spec.node))),
        overlap_(attrs.iou_threshold()),
        score_(attrs.score_threshold()),
        has_score_(attrs.has_score_threshold()),
        center_(attrs.center_point_box()),
        equal_(attrs.suppress_equal()) {}

  /// A list a class, its length, and for every thread an order of all boxes.
  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(lists_ * (most_ + 1) + threads_ * boxes_) *
           sizeof(std::int64_t);
  }

  Status run(const RunArgs& args) noexcept override {
    auto* kept = static_cast<std::int64_t*>(args.workspace);
    std::int64_t *lengths = kept + lists_ * most_, *orders = lengths + lists_;
    args.pool.parallel_for(most_ == 0 ? 0 : lists_, [&](std::int64_t list, int thread) {
      lengths[list] = suppress(args, list, orders + thread * boxes_, kept + list * most_);
    });
    std::int64_t count = 0;
    for (std::int64_t list = 0; most_ > 0 && list < lists_; ++list) count += lengths[list];
    const Status status = report_count(args, count, room_);
    if (!status.ok()) return status;
    auto* y = args.output<std::int64_t>(0);
    for (std::int64_t list = 0; count > 0 && list < lists_; ++list)
      for (std::int64_t i = 0; i < lengths[list]; ++i, y += 3) {
        y[0] = list / classes_;
        y[1] = list % classes_;
        y[2] = kept[list * most_ + i];
      }
    return {};
  }

 private:
  bool suppresses(float shared) const noexcept {
    return equal_ ? shared >= overlap_ : shared > overlap_;
  }

  std::int64_t suppress(const RunArgs& args, std::int64_t list, std::int64_t* order,
                        std::int64_t* kept) const noexcept {
    const float* scores = args.input<float>(1) + list * boxes_;
    const float* boxes = args.input<float>(0) + list / classes_ * boxes_ * 4;
    std::int64_t candidates = 0, count = 0;
    for (std::int64_t i = 0; i < boxes_; ++i)
      if (has_score_ ? scores[i] > score_ : scores[i] == scores[i]) order[candidates++] = i;
    std::sort(order, order + candidates, [&](std::int64_t a, std::int64_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
    });
    for (std::int64_t c = 0; c < candidates && count < most_; ++c) {
      const Box box = read_box(boxes + order[c] * 4, center_);
      const bool good = std::none_of(kept, kept + count, [&](std::int64_t other) {
        return suppresses(overlap(box, read_box(boxes + other * 4, center_)));
      });
      if (good) kept[count++] = order[c];
    }
    return count;
  }

  std::int64_t classes_, lists_, boxes_, most_, threads_, room_;
  float overlap_, score_;
  bool has_score_, center_, equal_;
};

}  // namespace

KernelPtr make_non_max_suppression_cpu(const KernelSpec& spec) {
  return make_kernel<NmsKernel>(spec.memory, spec, spec.node.attrs<fb::NmsAttrs>());
}

}  // namespace skiff
