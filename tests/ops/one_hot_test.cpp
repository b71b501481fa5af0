#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::OneHotAttrsT one_hot(std::int64_t axis, std::int64_t depth) {
  fb::OneHotAttrsT attrs;
  attrs.axis = axis;
  attrs.depth = depth;
  return attrs;
}

void check_one_hot(const TensorData& indices, const TensorData& values, int axis,
                   std::int64_t depth) {
  Shape shape;
  for (int a = 0; a < axis; ++a) shape.push_back(indices.shape[a]);
  shape.push_back(depth);
  for (int a = axis; a < indices.shape.rank(); ++a) shape.push_back(indices.shape[a]);
  const auto numbers = indices.numbers();
  const auto y = run_op(fb::OpKind::one_hot, one_hot(axis, depth), {indices, values});
  expect_same(y[0], moved(values, shape, [&](Index index) {
                const std::int64_t place = index[static_cast<std::size_t>(axis)];
                index.erase(index.begin() + axis);
                const auto i = static_cast<std::int64_t>(
                    numbers[static_cast<std::size_t>(flat(indices.shape, index))]);
                return Index{place == i || place - depth == i ? 1 : 0};
              }));
}

TEST(OneHot, EveryAxisAndSize) {
  for (DType dtype : kSizes) {
    const TensorData values = tensor_of(dtype, {2}, {0, 1});
    // Half of the indices lie outside and give rows of off.
    for (int axis = 0; axis <= 2; ++axis)
      for (DType index_type : {DType::int32, DType::int64})
        check_one_hot(random_indices(index_type, {3, 4}, 10, 1), values, axis, 5);
    check_one_hot(random_indices(DType::int64, {}, 3, 1), values, 0, 3);
    check_one_hot(random_indices(DType::int64, {1, 7, 1}, 2, 1), values, 1, 1);
    check_one_hot(random_indices(DType::int32, {3, 0}, 2, 1), values, 2, 4);
  }
  check_one_hot(random_indices(DType::int64, {2, 3, 2, 5}, 1100, 1),
                tensor<float>({2}, {-1.5f, 2.5f}), 2, 1100);
  const auto y = run_op(fb::OpKind::one_hot, one_hot(0, 0),
                        {tensor<std::int32_t>({}, {0}), tensor<float>({2}, {0, 1})});
  EXPECT_EQ(y[0].elements(), 0);
}

TEST(OneHot, Hostile) {
  const auto op = fb::OpKind::one_hot;
  const TensorData indices = tensor<std::int64_t>({2}, {INT64_MAX, INT64_MIN});
  const TensorData values = tensor<float>({2}, {3, 4});
  EXPECT_EQ(run_op(op, one_hot(1, 2), {indices, values})[0].numbers(),
            (std::vector<double>{3, 3, 3, 3}));
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(op, one_hot(axis, 2), {indices, values});
  for (std::int64_t depth : {std::int64_t{-1}, INT64_MAX, INT64_MIN})
    expect_refused(op, one_hot(0, depth), {indices, values});
  expect_refused(op, one_hot(0, 2), {values, values});
  expect_refused(op, one_hot(0, 2), {indices, tensor<float>({3}, {0, 1, 2})});
}

}  // namespace
}  // namespace skiff::test
