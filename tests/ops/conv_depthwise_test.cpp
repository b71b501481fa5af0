#include <gtest/gtest.h>

#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

TEST(Conv, Depthwise) {
  for (std::int64_t channels : {2, 3, 15, 16, 17, 32, 70})
    for (std::int64_t kernel : {3, 5})
      for (std::int64_t stride : {1, 2})
        for (std::int64_t width : {1, 2, 3, 7, 8, 13})
          check_case({.batch = 2,
                      .cin = channels,
                      .cout = channels,
                      .groups = channels,
                      .in = {6, width},
                      .kernel = {kernel, kernel},
                      .stride = {stride, stride},
                      .pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2},
                      .activation = fb::UnaryFunction::clip,
                      .alpha = 0,
                      .beta = 6},
                     9);
}

TEST(Conv, DepthwiseOfAnyForm) {
  check_case({.cin = 19,
              .cout = 19,
              .groups = 19,
              .in = {9, 10},
              .kernel = {3, 3},
              .dilation = {2, 2},
              .pads = {2, 2, 2, 2},
              .residual = true},
             10);
  check_case({.cin = 80,
              .cout = 80,
              .groups = 80,
              .in = {9, 10},
              .kernel = {2, 7},
              .stride = {2, 1},
              .pads = {1, 3, 0, 3}},
             11);
  check_case({.cin = 16,
              .cout = 16,
              .groups = 16,
              .in = {31},
              .kernel = {5},
              .stride = {2},
              .pads = {4, 0},
              .bias = false},
             12);
  check_case({.cin = 20,
              .cout = 20,
              .groups = 20,
              .in = {3, 5},
              .kernel = {3, 3},
              .stride = {1, 1},
              .pads = {0, 2, 0, 0},
              .residual = true,
              .activation = fb::UnaryFunction::hard_swish},
             13);
}

}  // namespace
}  // namespace skiff::test
