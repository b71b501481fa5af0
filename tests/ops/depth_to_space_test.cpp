#include "tests/support/reference_blocks.h"

namespace skiff::test {
namespace {

TEST(DepthToSpace, BothOrdersEverySize) {
  for_each_blocks([](const BlockShapes& shapes, DType dtype) {
    const TensorData x = random_bytes(dtype, shapes.depth, 1);
    const auto y = run_op(fb::OpKind::depth_to_space, blocks(shapes.size, shapes.crd), {x});
    expect_same(y[0], moved(x, shapes.space, [&](const Index& i) { return shapes.in_depth(i); }));
  });
}

TEST(DepthToSpace, Hostile) { expect_bad_blocks_refused(fb::OpKind::depth_to_space); }

}  // namespace
}  // namespace skiff::test
