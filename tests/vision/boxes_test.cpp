#include "runtime/vision/boxes.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "runtime/vision/scores.h"

namespace skiff::vision {
namespace {

Detection box(int label, float score, float x1, float y1, float x2, float y2) {
  return {label, score, x1, y1, x2, y2};
}

TEST(Overlap, ByHand) {
  const Detection a = box(0, 1, 0, 0, 2, 2);
  EXPECT_FLOAT_EQ(overlap(a, a), 1);
  EXPECT_FLOAT_EQ(overlap(a, box(0, 1, 1, 0, 3, 2)), 2.0f / 6);
  EXPECT_FLOAT_EQ(overlap(a, box(0, 1, 1, 1, 3, 3)), 1.0f / 7);
  EXPECT_EQ(overlap(a, box(0, 1, 2, 2, 3, 3)), 0);
  EXPECT_EQ(overlap(a, box(0, 1, 1, 1, 1, 1)), 0);
  EXPECT_EQ(overlap(box(0, 1, 5, 5, 5, 5), box(0, 1, 5, 5, 5, 5)), 0);
}

TEST(Suppress, KeepsTheBestOfAPile) {
  const auto kept = suppress({box(0, 0.6f, 0, 0, 10, 10), box(0, 0.9f, 1, 0, 11, 10),
                              box(0, 0.7f, 50, 50, 60, 60), box(0, 0.5f, 0, 1, 10, 11)},
                             0.3f, 10);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.9f);
  EXPECT_FLOAT_EQ(kept[1].score, 0.7f);
}

TEST(Suppress, ClassesDoNotSuppressEachOther) {
  const auto kept = suppress({box(0, 0.6f, 0, 0, 10, 10), box(1, 0.9f, 0, 0, 10, 10)}, 0.3f, 10);
  EXPECT_EQ(kept.size(), 2u);
}

TEST(Suppress, NoMoreThanWanted) {
  std::vector<Detection> many;
  for (int i = 0; i < 20; ++i) {
    const auto x = static_cast<float>(20 * i);
    many.push_back(box(0, 0.01f * static_cast<float>(i), x, 0, x + 10, 10));
  }
  const auto kept = suppress(many, 0.5f, 3);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.19f);
  EXPECT_TRUE(suppress(many, 0.5f, 0).empty());
}

TEST(Apply, ClipsThenSigmoid) {
  Postprocessing p;
  p.score_clip = 1;
  p.apply_sigmoid = true;
  std::array<float, 3> scores = {-50, 0, 0.5f};
  apply(p, scores, 1);
  EXPECT_NEAR(scores[0], 1 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_NEAR(scores[1], 0.5, 1e-6);
  EXPECT_NEAR(scores[2], 1 / (1 + std::exp(-0.5)), 1e-6);
}

TEST(Apply, SoftmaxOfEachRun) {
  Postprocessing p;
  p.apply_softmax = true;
  std::array<float, 4> scores = {1000, 1000, 0, std::log(3.0f)};
  apply(p, scores, 2);
  EXPECT_NEAR(scores[0], 0.5, 1e-6);
  EXPECT_NEAR(scores[1], 0.5, 1e-6);
  EXPECT_NEAR(scores[2], 0.25, 1e-6);
  EXPECT_NEAR(scores[3], 0.75, 1e-6);
}

}  // namespace
}  // namespace skiff::vision
