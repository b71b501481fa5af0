#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/closeness.h"
#include "tests/support/conv_cases.h"

namespace skiff::test {
namespace {

/// Winograd's form where it is chosen: its rounding follows the largest numbers of a whole tile.
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
        const ConvNode node = node_of(c, seed++);
        const ReferenceResult expected = expected_of(c, node, node.output());
        const double largest =
            *std::max_element(expected.magnitude.begin(), expected.magnitude.end());
        for_each_table([&](const cpu::KernelTable& table) {
          expect_close(node.run(table).values<float>(), expected.value,
                       [&](std::size_t) { return 40 * 0x1p-24 * (largest + 1); });
        });
      }
}

}  // namespace
}  // namespace skiff::test
