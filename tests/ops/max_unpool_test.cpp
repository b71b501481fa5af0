#include <gtest/gtest.h>

#include "tests/support/op_runner.h"

namespace skiff::test {
namespace {

fb::MaxUnpoolAttrsT shape_attribute(std::vector<std::int64_t> shape) {
  fb::MaxUnpoolAttrsT attrs;
  attrs.shape = std::move(shape);
  return attrs;
}

// Indices count over [N, C, H, W] although the tensors lie as [N, H, W, C].
TEST(MaxUnpool, PutsElementsAtTheirIndices) {
  const auto x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const auto indices = tensor<std::int64_t>({1, 1, 2, 2}, {5, 6 + 0, 3, 6 + 4});
  const auto y = run_op(fb::OpKind::max_unpool, shape_attribute({1, 2, 3, 2}), {x, indices});
  // Channel 0 has 1 at pixel 5 and 3 at pixel 3, channel 1 has 2 at pixel 0 and 4 at pixel 4.
  EXPECT_EQ(y[0].numbers(), (std::vector<double>{0, 2, 0, 0, 0, 0, 3, 0, 0, 4, 1, 0}));
}

TEST(MaxUnpool, UndoesMaxPool) {
  const Shape shape{2, 4, 6, 3};
  const TensorData x = tensor_of(DType::float32, shape, random_numbers(shape.elements(), 1, 2));
  fb::PoolAttrsT pool;
  pool.kernel = pool.strides = {2, 2};
  pool.index_channels_first = true;
  const auto pooled = run_op(fb::OpKind::pool, pool, {x}, OpOptions{.outputs = 2});
  const auto y =
      run_op(fb::OpKind::max_unpool, shape_attribute({2, 4, 6, 3}), {pooled[0], pooled[1]});
  const auto in = x.numbers(), out = y[0].numbers(), maxima = pooled[0].numbers();
  double sum = 0, expected = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    EXPECT_TRUE(out[i] == 0 || out[i] == in[i]);
    sum += out[i];
  }
  for (double maximum : maxima) expected += maximum;
  EXPECT_NEAR(sum, expected, 1e-9);
}

TEST(MaxUnpool, IndexOutsideIsABadValue) {
  const auto x = tensor<float>({1, 1, 1, 1}, {1});
  for (std::int64_t bad : {std::int64_t{-1}, std::int64_t{4}, INT64_MAX, INT64_MIN}) {
    const auto indices = tensor<std::int64_t>({1, 1, 1, 1}, {bad});
    const OpResult result = run_op(fb::OpKind::max_unpool, shape_attribute({1, 2, 2, 1}),
                                   std::vector<const TensorData*>{&x, &indices});
    EXPECT_EQ(result.status.code(), ErrorCode::bad_value);
  }
}

TEST(MaxUnpool, HostileAttributes) {
  const auto x = tensor<float>({1, 1, 1, 1}, {1});
  const auto indices = tensor<std::int64_t>({1, 1, 1, 1}, {0});
  for (const std::vector<std::int64_t>& bad : std::vector<std::vector<std::int64_t>>{
           {}, {1, 2, 2}, {2, 2, 2, 1}, {1, 2, 2, 2}, {1, -2, 2, 1}, {1, INT64_MAX, INT64_MAX, 1}})
    expect_refused(fb::OpKind::max_unpool, shape_attribute(bad), {x, indices});
  expect_refused(fb::OpKind::max_unpool, shape_attribute({1, 2, 2, 1}), {x, x});
}

}  // namespace
}  // namespace skiff::test
