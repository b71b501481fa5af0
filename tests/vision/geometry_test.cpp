#include "runtime/vision/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

// Expected numbers are worked out by hand.
namespace skiff::vision {
namespace {

void expect_placement(const Placement& p, float sx, float sy, float x, float y) {
  EXPECT_FLOAT_EQ(p.scale_x, sx);
  EXPECT_FLOAT_EQ(p.scale_y, sy);
  EXPECT_FLOAT_EQ(p.offset_x, x);
  EXPECT_FLOAT_EQ(p.offset_y, y);
}

TEST(Place, FitModes) {
  const Extent picture{200, 100}, input{100, 100};
  expect_placement(place(picture, input, FitMode::stretch), 0.5f, 1, 0, 0);
  expect_placement(place(picture, input, FitMode::letterbox), 0.5f, 0.5f, 0, 25);
  expect_placement(place(picture, input, FitMode::center_crop), 1, 1, -50, 0);
}

TEST(Samples, SameExtentIsTheIdentity) {
  const auto s = samples(5, 0, 1, 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(s[static_cast<std::size_t>(i)].first, i);
    EXPECT_EQ(s[static_cast<std::size_t>(i)].fraction, 0);
    EXPECT_TRUE(s[static_cast<std::size_t>(i)].inside);
  }
}

TEST(Samples, HalvingTakesTheMiddleOfPairs) {
  const auto s = samples(2, 0, 2, 4);
  EXPECT_EQ(s[0].first, 0);
  EXPECT_EQ(s[0].second, 1);
  EXPECT_FLOAT_EQ(s[0].fraction, 0.5f);
  EXPECT_EQ(s[1].first, 2);
  EXPECT_FLOAT_EQ(s[1].fraction, 0.5f);
}

TEST(Samples, DoublingRepeatsTheBorder) {
  // Positions 0.25, 0.75, 1.25, 1.75 between centres 0.5 and 1.5.
  const auto s = samples(4, 0, 0.5f, 2);
  EXPECT_EQ(s[0].first + s[0].second, 1);
  EXPECT_FLOAT_EQ(s[0].fraction, 0);
  EXPECT_FLOAT_EQ(s[1].fraction, 0.25f);
  EXPECT_FLOAT_EQ(s[2].fraction, 0.75f);
  EXPECT_EQ(s[3].first, 1);
  EXPECT_EQ(s[3].second, 1);
}

TEST(Samples, OutsideIsKnown) {
  const auto s = samples(4, -1, 1, 2);
  EXPECT_FALSE(s[0].inside);
  EXPECT_TRUE(s[1].inside);
  EXPECT_TRUE(s[2].inside);
  EXPECT_FALSE(s[3].inside);
}

TEST(Samples, NonsenseStaysInBounds) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(), 1e30f, -1e30f};
  for (float start : bad)
    for (float step : bad)
      for (const Sample& s : samples(9, start, step, 7)) {
        EXPECT_GE(s.first, 0);
        EXPECT_LT(s.first, 7);
        EXPECT_GE(s.second, 0);
        EXPECT_LT(s.second, 7);
      }
}

}  // namespace
}  // namespace skiff::vision
