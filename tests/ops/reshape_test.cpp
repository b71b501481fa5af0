#include <gtest/gtest.h>

#include "tests/support/op_runner.h"

namespace skiff::test {
namespace {

TEST(Reshape, MovesBytes) {
  fb::ShapeAttrsT attrs;
  attrs.shape = {3, 2};
  const auto y = run_op(fb::OpKind::reshape, attrs, {tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(y[0].shape, (Shape{3, 2}));
  EXPECT_EQ(y[0].values<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Reshape, HostileShapesAreRefused) {
  const TensorData x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{7}, {-1, 6}, {INT64_MAX, INT64_MAX}, {}, {0}}) {
    fb::ShapeAttrsT attrs;
    attrs.shape = shape;
    expect_refused(fb::OpKind::reshape, attrs, {x});
  }
}

TEST(Identity, CopiesEveryRank) {
  for (int rank = 0; rank <= kMaxRank; ++rank) {
    Shape shape;
    for (int i = 0; i < rank; ++i) shape.push_back(i % 3 + 1);
    const TensorData x = tensor_of(DType::int16, shape, random_numbers(shape.elements(), -9, 9));
    EXPECT_EQ(run_op(fb::OpKind::identity, {}, {x})[0].bytes, x.bytes);
  }
}

}  // namespace
}  // namespace skiff::test
