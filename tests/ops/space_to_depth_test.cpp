#include "tests/support/reference_blocks.h"

namespace skiff::test {
namespace {

TEST(SpaceToDepth, BothOrdersEverySize) {
  for_each_blocks([](const BlockShapes& shapes, DType dtype) {
    const TensorData x = random_bytes(dtype, shapes.space, 1);
    const auto y = run_op(fb::OpKind::space_to_depth, blocks(shapes.size, shapes.crd), {x});
    ASSERT_EQ(y[0].shape, shapes.depth);
    expect_same(moved(y[0], shapes.space, [&](const Index& i) { return shapes.in_depth(i); }), x);
  });
}

TEST(SpaceToDepth, Hostile) { expect_bad_blocks_refused(fb::OpKind::space_to_depth); }

}  // namespace
}  // namespace skiff::test
