#include <array>
#include <cmath>
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

/// As many of the scores as `share` says are above 0.5.
TensorData sparse_scores(const Shape& shape, double share, unsigned seed) {
  std::vector<double> numbers = random_numbers(shape.elements(), 0, 1, seed);
  for (double& v : numbers) v = v < share ? 0.5 + v / share / 2 : 0.5 * v;
  return tensor_of(DType::float32, shape, numbers);
}

/// Boxes of the sizes that detectors give, many on the same places.
TensorData crowded_boxes(std::int64_t batch, std::int64_t count, unsigned seed) {
  std::vector<double> numbers = random_numbers(batch * count * 4, 0, 1, seed);
  for (std::size_t i = 0; i < numbers.size(); i += 4)
    for (std::size_t k = 0; k < 2; ++k) {
      numbers[i + k] = std::floor(numbers[i + k] * 12) * 50 + numbers[i + 2 + k] * 20;
      numbers[i + 2 + k] = 20 + 60 * numbers[i + 2 + k];
    }
  return tensor_of(DType::float32, {batch, count, 4}, numbers);
}

void check(const TensorData& boxes, const TensorData& scores, const fb::NmsAttrsT& attrs) {
  const auto y = run_op(fb::OpKind::non_max_suppression, attrs, {boxes, scores});
  EXPECT_EQ(y[0].values<std::int64_t>(), expected(boxes, scores, attrs));
}

TEST(NonMaxSuppression, SizesOfDetectors) {
  fb::NmsAttrsT attrs = attributes(100, 0.45f, 0.5f);
  attrs.center_point_box = true;
  check(crowded_boxes(1, 8400, 11), sparse_scores({1, 80, 8400}, 0.01, 12), attrs);
  check(crowded_boxes(4, 4420, 13), sparse_scores({4, 2, 4420}, 0.1, 14), attrs);
}

TEST(NonMaxSuppression, EveryBoxHasEnoughScore) {
  fb::NmsAttrsT attrs = attributes(8400, 0.3f);
  attrs.center_point_box = true;
  const TensorData boxes = crowded_boxes(1, 8400, 15);
  check(boxes, random_tensor(DType::float32, {1, 2, 8400}, -1, 1, 16), attrs);
  std::vector<double> few = random_numbers(8400, 0, 1, 17);
  for (double& v : few) v = std::floor(v * 5) - 2;  // zeros of both signs among them
  for (std::size_t i = 0; i < few.size(); i += 3)
    if (few[i] == 0) few[i] = -0.0;
  check(boxes, tensor_of(DType::float32, {1, 1, 8400}, few), attrs);
}

/// Around the numbers of boxes that are decided, sorted and merged at once.
TEST(NonMaxSuppression, NumbersOfBoxes) {
  for (std::int64_t count : {1, 2, 3, 31, 33, 63, 64, 65, 129, 1023, 1024, 1025, 2049, 8193}) {
    const TensorData boxes = crowded_boxes(1, count, 18);
    const TensorData scores = random_tensor(DType::float32, {1, 2, count}, 0, 1, 19);
    for (std::int64_t most : {std::int64_t{1}, std::int64_t{64}, std::int64_t{70}, count}) {
      SCOPED_TRACE(std::to_string(count) + " boxes, " + std::to_string(most));
      fb::NmsAttrsT attrs = attributes(most, 0.4f);
      attrs.center_point_box = true;
      check(boxes, scores, attrs);
    }
  }
}

/// More lists than are joined at once, some of them empty.
TEST(NonMaxSuppression, ManyClasses) {
  const TensorData boxes = random_tensor(DType::float32, {3, 5, 4}, 0, 1, 20);
  check(boxes, sparse_scores({3, 97, 5}, 0.2, 21), attributes(2, 0.3f, 0.5f));
  check(boxes, random_tensor(DType::float32, {3, 300, 5}, 0, 1, 22), attributes(5, 0.3f));
}

TEST(NonMaxSuppression, OddBoxes) {
  const float inf = INFINITY;
  const std::vector<float> corners = {
      0,    0,    2,   2,    //
      2,    2,    0,   0,    // the same
      2,    0,    0,   2,    // the same
      0,    0,    0,   0,    // empty
      0,    0,    -1,  2,    // beside the first
      NAN,  0,    1,   1,    //
      -inf, -inf, inf, inf,  //
      5,    5,    NAN, 6,    //
      -inf, -inf, inf, inf,  //
  };
  const TensorData boxes = tensor<float>({1, 9, 4}, corners);
  const std::vector<float> falling = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  const auto kept = [&](const fb::NmsAttrsT& attrs, const std::vector<float>& numbers) {
    const TensorData scores = tensor<float>({1, 1, 9}, numbers);
    const auto y = run_op(fb::OpKind::non_max_suppression, attrs, {boxes, scores});
    const auto rows = y[0].values<std::int64_t>();
    std::vector<std::int64_t> indices;
    for (std::size_t i = 2; i < rows.size(); i += 3) indices.push_back(rows[i]);
    return indices;
  };
  // Empty boxes, and those whose share is no number, overlap nothing.
  EXPECT_EQ(kept(attributes(9, 0.5f), falling), (std::vector<std::int64_t>{0, 3, 4, 5, 6, 7, 8}));
  // A share of zero is too much.
  fb::NmsAttrsT none = attributes(9, 0.0f);
  none.suppress_equal = true;
  EXPECT_EQ(kept(none, falling), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(kept(attributes(9, -1.0f), falling), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(kept(attributes(9, NAN), falling),
            (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  // The share with a box of NaN is zero too.
  EXPECT_EQ(kept(attributes(9, -1.0f), {1, 2, 3, 4, 5, 9, 6, 7, 8}),
            (std::vector<std::int64_t>{5}));
  EXPECT_EQ(kept(attributes(2, 0.5f), falling), (std::vector<std::int64_t>{0, 3}));
}

TEST(NonMaxSuppression, OddScores) {
  const TensorData boxes = random_tensor(DType::float32, {1, 6, 4}, 0, 1, 23);
  const auto order = [&](const fb::NmsAttrsT& attrs, const std::vector<float>& scores) {
    const auto rows =
        run_op(fb::OpKind::non_max_suppression, attrs, {boxes, tensor<float>({1, 1, 6}, scores)})[0]
            .values<std::int64_t>();
    std::vector<std::int64_t> indices;
    for (std::size_t i = 2; i < rows.size(); i += 3) indices.push_back(rows[i]);
    return indices;
  };
  const fb::NmsAttrsT all = attributes(6, 1.0f);
  const std::vector<float> odd = {NAN, -INFINITY, 0.0f, INFINITY, -0.0f, -NAN};
  EXPECT_EQ(order(all, odd), (std::vector<std::int64_t>{3, 2, 4, 1}));
  EXPECT_EQ(order(all, std::vector<float>(6, 0.5f)), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(order(attributes(6, 1.0f, 0.0f), odd), (std::vector<std::int64_t>{3}));
  fb::NmsAttrsT nan = all;
  nan.has_score_threshold = true;
  nan.score_threshold = NAN;
  EXPECT_EQ(order(nan, odd), std::vector<std::int64_t>());
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
