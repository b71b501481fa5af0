#include <gtest/gtest.h>

#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

TEST(ConvTranspose, AgainstTheDefinition) {
  for (std::int64_t stride : {1, 2, 3})
    for (std::int64_t kernel : {1, 2, 3, 4})
      for (std::int64_t channels : {1, 5, 17})
        check_case({.batch = 2,
                    .cin = channels,
                    .cout = 19,
                    .in = {3, 5},
                    .kernel = {kernel, 3},
                    .stride = {stride, 2},
                    .pads = {0, 1, 0, 0},
                    .op = fb::OpKind::conv_transpose},
                   40);
}

TEST(ConvTranspose, FewOutputChannels) {
  for (std::int64_t cout : {1, 2, 3, 4})
    for (std::int64_t cin : {16, 24, 33})
      check_case({.batch = 2,
                  .cin = cin,
                  .cout = cout,
                  .in = {5, 9},
                  .kernel = {2, 2},
                  .stride = {2, 2},
                  .op = fb::OpKind::conv_transpose,
                  .activation = fb::UnaryFunction::sigmoid},
                 45);
}

TEST(ConvTranspose, AllAttributes) {
  check_case({.cin = 6,
              .cout = 8,
              .groups = 2,
              .in = {4, 3},
              .kernel = {3, 4},
              .stride = {2, 3},
              .dilation = {2, 1},
              .pads = {1, 2, 0, 1},
              .output_pads = {1, 2},
              .op = fb::OpKind::conv_transpose,
              .activation = fb::UnaryFunction::relu},
             41);
  check_case({.cin = 6,
              .cout = 8,
              .in = {9},
              .kernel = {2},
              .stride = {4},
              .op = fb::OpKind::conv_transpose},
             42);
  check_case({.cin = 3,
              .cout = 5,
              .in = {3, 4, 2},
              .kernel = {2, 3, 2},
              .stride = {2, 1, 2},
              .pads = {0, 1, 0, 1, 0, 0},
              .bias = false,
              .op = fb::OpKind::conv_transpose},
             43);
  check_case({.cin = 4,
              .cout = 20,
              .in = {5, 5},
              .kernel = {3, 3},
              .stride = {2, 2},
              .pads = {1, 1, 1, 1},
              .output_pads = {1, 1},
              .constant = false,
              .op = fb::OpKind::conv_transpose},
             44);
}

}  // namespace
}  // namespace skiff::test
