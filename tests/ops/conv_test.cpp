#include <gtest/gtest.h>

#include <random>

#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

TEST(Conv, Pointwise) {
  for (std::int64_t cin : {1, 3, 15, 16, 17, 64})
    for (std::int64_t cout : {1, 3, 15, 16, 17, 33, 48, 65, 255})
      check_case({.cin = cin, .cout = cout, .in = {5, 7}, .kernel = {1, 1}}, 1);
}

TEST(Conv, Windows) {
  for (std::int64_t width : {1, 2, 7, 8, 19})
    for (std::int64_t kernel : {1, 3, 5})
      for (std::int64_t stride : {1, 2, 3})
        check_case({.batch = 2,
                    .cin = 6,
                    .cout = 20,
                    .in = {4, width},
                    .kernel = {kernel, kernel},
                    .stride = {stride, stride},
                    .pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2}},
                   2);
}

TEST(Conv, AsymmetricPadsAndDilations) {
  check_case({.cin = 9,
              .cout = 17,
              .in = {11, 13},
              .kernel = {3, 2},
              .stride = {2, 1},
              .dilation = {2, 3},
              .pads = {0, 1, 3, 2}},
             3);
  check_case({.cin = 5,
              .cout = 7,
              .in = {3, 3},
              .kernel = {5, 5},
              .dilation = {2, 2},
              .pads = {4, 5, 6, 3}},
             4);
  check_case({.cin = 8, .cout = 8, .in = {2, 2}, .kernel = {1, 1}, .pads = {3, 3, 3, 3}}, 5);
}

TEST(Conv, FewInputChannels) {
  for (std::int64_t cin : {1, 2, 3, 4})
    for (std::int64_t stride : {1, 2})
      for (std::int64_t cout : {1, 16, 24, 32, 64})
        check_case({.batch = 2,
                    .cin = cin,
                    .cout = cout,
                    .in = {13, 17},
                    .kernel = {3, 3},
                    .stride = {stride, stride},
                    .pads = {0, 0, 1, 1},
                    .activation = fb::UnaryFunction::relu},
                   6);
  check_case({.cin = 3,
              .cout = 64,
              .in = {30, 31},
              .kernel = {7, 7},
              .stride = {2, 2},
              .pads = {3, 3, 3, 3}},
             7);
  check_case({.cin = 3,
              .cout = 5,
              .in = {9, 4},
              .kernel = {3, 6},
              .stride = {1, 4},
              .dilation = {2, 1},
              .pads = {1, 9, 0, 5}},
             8);
}

TEST(Conv, FewOutputChannels) {
  unsigned seed = 40;
  for (std::int64_t cout : {1, 2, 3, 4})
    for (std::int64_t cin : {5, 8, 15, 16, 17, 40})
      for (std::int64_t kernel : {1, 3})
        check_case({.batch = 2,
                    .cin = cin,
                    .cout = cout,
                    .in = {7, 11},
                    .kernel = {kernel, kernel},
                    .stride = {cin == 15 ? 2 : 1, 1},
                    .pads = {kernel / 2, kernel / 2, 0, kernel / 2},
                    .residual = cin % 2 == 0,
                    .activation = cin > 16 ? fb::UnaryFunction::sigmoid : fb::UnaryFunction::relu},
                   seed++);
}

TEST(Conv, Groups) {
  check_case(
      {.cin = 12, .cout = 18, .groups = 3, .in = {6, 6}, .kernel = {3, 3}, .pads = {1, 1, 1, 1}},
      14);
  check_case({.batch = 2,
              .cin = 64,
              .cout = 64,
              .groups = 4,
              .in = {5, 4},
              .kernel = {3, 3},
              .stride = {2, 2},
              .pads = {1, 1, 1, 1},
              .residual = true},
             15);
  check_case({.cin = 5, .cout = 15, .groups = 5, .in = {6, 6}, .kernel = {3, 3}}, 16);
}

TEST(Conv, OneAndThreeAxes) {
  check_case(
      {.batch = 2, .cin = 9, .cout = 33, .in = {40}, .kernel = {7}, .stride = {3}, .pads = {2, 4}},
      17);
  check_case({.cin = 2, .cout = 12, .in = {40}, .kernel = {3}, .pads = {1, 1}}, 18);
  check_case({.batch = 2,
              .cin = 4,
              .cout = 10,
              .in = {5, 6, 7},
              .kernel = {3, 2, 3},
              .stride = {2, 1, 2},
              .dilation = {1, 2, 1},
              .pads = {1, 0, 1, 1, 1, 0}},
             19);
  check_case({.cin = 6,
              .cout = 6,
              .groups = 6,
              .in = {4, 4, 4},
              .kernel = {3, 3, 3},
              .pads = {1, 1, 1, 1, 1, 1}},
             20);
}

TEST(Conv, ResidualBiasAndActivations) {
  for (int f = 0; f <= static_cast<int>(fb::UnaryFunction::shrink); ++f) {
    const auto function = static_cast<fb::UnaryFunction>(f);
    SCOPED_TRACE(fb::EnumNameUnaryFunction(function));
    ConvCase c{.cin = 7,
               .cout = 37,
               .in = {4, 5},
               .kernel = {1, 1},
               .residual = true,
               .activation = function,
               .alpha = 0.25f,
               .beta = 1.5f};
    if (function == fb::UnaryFunction::thresholded_relu || function == fb::UnaryFunction::shrink)
      continue;  // they jump: see Activations in cpu_test
    check_case(c, 21);
  }
  check_case({.cin = 7,
              .cout = 48,
              .in = {4, 5},
              .kernel = {3, 3},
              .bias = false,
              .residual = true,
              .activation = fb::UnaryFunction::relu},
             22);
}

TEST(Conv, ManyTapsAndLongSums) {
  check_case({.cin = 5, .cout = 18, .in = {12, 12}, .kernel = {9, 9}, .pads = {4, 4, 4, 4}}, 23);
  check_case({.cin = 512, .cout = 40, .in = {7, 7}, .kernel = {3, 3}, .pads = {1, 1, 1, 1}}, 24);
}

TEST(Conv, WeightsThatAreNotConstant) {
  check_case({.cin = 6,
              .cout = 21,
              .groups = 3,
              .in = {6, 6},
              .kernel = {3, 3},
              .pads = {1, 1, 1, 1},
              .constant = false},
             25);
  check_case({.cin = 3,
              .cout = 21,
              .in = {6, 6},
              .kernel = {3, 3},
              .pads = {1, 1, 1, 1},
              .constant = false},
             26);
  check_case(
      {.cin = 21, .cout = 21, .groups = 21, .in = {6, 6}, .kernel = {3, 3}, .constant = false}, 27);
}

TEST(Conv, RandomForms) {
  std::mt19937 random(7);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<unsigned>(high - low + 1));
  };
  for (std::uint32_t i = 0; i < 60; ++i) {
    SCOPED_TRACE(i);
    const std::int64_t groups = pick(1, 3), h = pick(6, 14), w = pick(6, 14);
    check_case({.batch = pick(1, 2),
                .cin = groups * pick(1, 20),
                .cout = groups * pick(1, 40),
                .groups = groups,
                .in = {h, w},
                .kernel = {pick(1, 3), pick(1, 3)},
                .stride = {pick(1, 3), pick(1, 3)},
                .dilation = {pick(1, 2), pick(1, 2)},
                .pads = {pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)},
                .bias = pick(0, 1) == 1,
                .residual = pick(0, 1) == 1,
                .constant = pick(0, 3) > 0},
               100 + i);
  }
}

}  // namespace
}  // namespace skiff::test
