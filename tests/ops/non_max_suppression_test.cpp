#include <array>
#include <numeric>

#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

using Corners = std::array<double, 4>;  // low, high of both axes

Corners corners_of(const std::vector<double>& boxes, std::size_t box, bool center) {
  const double* b = boxes.data() + box * 4;
  if (center) return {b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

double overlap(const Corners& a, const Corners& b) {
  const double wide = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const double high = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  const double common = wide <= 0 || high <= 0 ? 0 : wide * high;
  const double sum = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]);
  return common == 0 ? 0 : common / (sum - common);
}

std::vector<std::int64_t> expected(const TensorData& boxes, const TensorData& scores,
                                   const fb::NmsAttrsT& attrs) {
  const auto b = boxes.numbers(), s = scores.numbers();
  const auto n = static_cast<std::size_t>(boxes.shape[1]);
  std::vector<std::int64_t> result;
  for (std::int64_t batch = 0; batch < scores.shape[0]; ++batch)
    for (std::int64_t kind = 0; kind < scores.shape[1]; ++kind) {
      const double* score = s.data() + static_cast<std::size_t>(batch * scores.shape[1] + kind) * n;
      const auto place = [&](std::size_t i) {
        return corners_of(b, static_cast<std::size_t>(batch) * n + i, attrs.center_point_box);
      };
      std::vector<std::size_t> order(n), kept;
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t i, std::size_t j) { return score[i] > score[j]; });
      for (std::size_t i : order) {
        if (static_cast<std::int64_t>(kept.size()) == attrs.max_output_boxes_per_class) break;
        if (attrs.has_score_threshold && !(score[i] > static_cast<double>(attrs.score_threshold)))
          continue;
        bool good = true;
        for (std::size_t other : kept)
          good =
              good && overlap(place(i), place(other)) <= static_cast<double>(attrs.iou_threshold);
        if (!good) continue;
        kept.push_back(i);
        result.insert(result.end(), {batch, kind, static_cast<std::int64_t>(i)});
      }
    }
  return result;
}

fb::NmsAttrsT attributes(std::int64_t most, float limit, float score = -1) {
  fb::NmsAttrsT attrs;
  attrs.max_output_boxes_per_class = most;
  attrs.iou_threshold = limit;
  attrs.has_score_threshold = score >= 0;
  attrs.score_threshold = score;
  return attrs;
}

TEST(NonMaxSuppression, EveryFormAndThreshold) {
  const TensorData boxes = random_tensor(DType::float32, {2, 40, 4}, 0, 1, 5);
  const TensorData scores = random_tensor(DType::float32, {2, 3, 40}, 0, 1, 6);
  for (bool center : {false, true})
    for (std::int64_t most : {0, 1, 7, 100})
      for (float limit : {0.0f, 0.2f, 0.5f, 1.0f})
        for (float score : {-1.0f, 0.0f, 0.6f, 2.0f}) {
          fb::NmsAttrsT attrs = attributes(most, limit, score);
          attrs.center_point_box = center;
          const auto y = run_op(fb::OpKind::non_max_suppression, attrs, {boxes, scores});
          EXPECT_EQ(y[0].values<std::int64_t>(), expected(boxes, scores, attrs));
          EXPECT_EQ(y[0].shape[1], 3);
        }
}

TEST(NonMaxSuppression, EqualOverlapsAndScores) {
  const TensorData boxes = tensor<float>({1, 3, 4}, {0, 0, 2, 1, 1, 0, 3, 1, 0, 0, 2, 1});
  const TensorData scores = tensor<float>({1, 1, 3}, {1, 1, 1});
  fb::NmsAttrsT attrs = attributes(3, 1.0f / 3);
  const auto kept = [&] {
    return run_op(fb::OpKind::non_max_suppression, attrs, {boxes, scores})[0]
        .values<std::int64_t>();
  };
  EXPECT_EQ(kept(), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 1}));
  attrs.suppress_equal = true;
  EXPECT_EQ(kept(), (std::vector<std::int64_t>{0, 0, 0}));
}

TEST(NonMaxSuppression, NothingAndNan) {
  const auto y = run_op(fb::OpKind::non_max_suppression, attributes(5, 0.5f),
                        {tensor<float>({1, 0, 4}, std::vector<float>()),
                         tensor<float>({1, 2, 0}, std::vector<float>())});
  EXPECT_EQ(y[0].shape, (Shape{0, 3}));
  const auto z = run_op(
      fb::OpKind::non_max_suppression, attributes(5, 0.5f),
      {tensor<float>({1, 2, 4}, {0, 0, 1, 1, 0, 0, 1, 1}), tensor<float>({1, 1, 2}, {NAN, 0.5f})});
  EXPECT_EQ(z[0].values<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 1}));
}

TEST(NonMaxSuppression, Hostile) {
  const auto refused = [](const Shape& boxes, const Shape& scores, std::int64_t most) {
    expect_refused(fb::OpKind::non_max_suppression, attributes(most, 0.5f),
                   {random_tensor(DType::float32, boxes), random_tensor(DType::float32, scores)});
  };
  refused({2, 4}, {1, 1, 2}, 1);
  refused({1, 2, 3}, {1, 1, 2}, 1);
  refused({1, 2, 4}, {2, 1, 2}, 1);
  refused({1, 2, 4}, {1, 1, 3}, 1);
  refused({1, 2, 4}, {1, 1, 2}, -1);
  expect_refused(
      fb::OpKind::non_max_suppression, attributes(1, 0.5f),
      {random_bytes(DType::int32, {1, 2, 4}, 1), random_tensor(DType::float32, {1, 1, 2})});
}

}  // namespace
}  // namespace skiff::test
