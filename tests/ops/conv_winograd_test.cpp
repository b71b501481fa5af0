#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/support/closeness.h"
#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

/// Its rounding follows the largest numbers of a whole tile. Five threads divide tiles and channels
/// in as many ways.
void expect_winograd(const ConvCase& c, unsigned seed) {
  const ConvNode node = node_of(c, seed);
  const ReferenceResult expected = expected_of(c, node, node.output());
  const double largest = *std::max_element(expected.magnitude.begin(), expected.magnitude.end());
  for_each_table([&](const cpu::KernelTable& table) {
    expect_close(node.run(table, 5).values<float>(), expected.value,
                 [&](std::size_t) { return 40 * 0x1p-24 * (largest + 1); });
  });
}

/// Tiles of 4x4 outputs where Winograd's form is chosen.
TEST(Conv, Windows3x3OverManyPixels) {
  unsigned seed = 60;
  for (std::int64_t cin : {8, 16, 17, 40})
    for (std::int64_t cout : {8, 15, 16, 33, 80})
      for (const Axis& in : {Axis{40, 40}, Axis{33, 50}, Axis{62, 17}}) {
        const ConvCase c{
            .batch = cin == 8 ? 2 : 1,
            .cin = cin,
            .cout = cout,
            .in = in,
            .kernel = {3, 3},
            .pads = cin == 17 ? Axis{0, 1, 2, 0} : Axis{1, 1, 1, 1},
            .bias = cout != 15,
            .residual = cout == 33,
            .activation = cin == 40 ? fb::UnaryFunction::swish : fb::UnaryFunction::relu,
            .alpha = 1};
        expect_winograd(c, seed++);
      }
}

/// Tiles of 2x2 outputs, of layers whose weights are many for their pixels.
TEST(Conv, Windows3x3OverManyChannels) {
  unsigned seed = 90;
  for (const auto& [cin, cout] :
       {std::pair{96, 100}, std::pair{100, 97}, std::pair{128, 128}, std::pair{256, 130}})
    for (const Axis& in : {Axis{14, 14}, Axis{13, 17}}) {
      const ConvCase c{.batch = cin == 100 ? 2 : 1,
                       .cin = cin,
                       .cout = cout,
                       .in = in,
                       .kernel = {3, 3},
                       .pads = cin == 96 ? Axis{0, 1, 2, 0} : Axis{1, 1, 1, 1},
                       .bias = cin != 96,
                       .residual = cin == 128,
                       .activation = fb::UnaryFunction::relu};
      expect_winograd(c, seed++);
    }
}

}  // namespace
}  // namespace skiff::test
