#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::GatherAttrsT on_axis(std::int64_t axis) {
  fb::GatherAttrsT attrs;
  attrs.axis = axis;
  return attrs;
}

void check_gather_elements(const TensorData& x, const TensorData& indices, int axis) {
  const std::vector<double> numbers = indices.numbers();
  const auto y = run_op(fb::OpKind::gather_elements, on_axis(axis), {x, indices});
  expect_same(y[0], moved(x, indices.shape, [&](Index index) {
                auto i = static_cast<std::int64_t>(
                    numbers[static_cast<std::size_t>(flat(indices.shape, index))]);
                index[static_cast<std::size_t>(axis)] = i < 0 ? i + x.shape[axis] : i;
                return index;
              }));
}

TEST(GatherElements, EveryAxisAndSize) {
  for (DType dtype : kSizes) {
    const TensorData x = random_bytes(dtype, {3, 4, 5, 6}, 1);
    for (int axis = 0; axis < 4; ++axis) {
      for (Shape shape : {Shape{3, 4, 5, 6}, Shape{1, 2, 3, 4}, Shape{2, 4, 5, 6}}) {
        shape[axis] = 9;
        check_gather_elements(x, random_indices(DType::int64, shape, x.shape[axis], 1), axis);
        check_gather_elements(x, random_indices(DType::int32, shape, x.shape[axis], 2), axis);
      }
    }
    check_gather_elements(x, random_indices(DType::int64, {0, 4, 5, 6}, 3, 1), 0);
  }
}

TEST(GatherElements, EdgeShapes) {
  const auto check = [](const Shape& x, const Shape& indices, int axis) {
    check_gather_elements(random_bytes(DType::float32, x, 1),
                          random_indices(DType::int64, indices, x[axis], 2), axis);
  };
  check({9}, {70000}, 0);
  check({1, 3}, {5, 3}, 0);
  check({3, 1}, {3, 5}, 1);
  check({300, 200}, {300, 230}, 1);
  check({20, 1, 150, 3}, {20, 1, 90, 3}, 2);
  check({2, 1, 3, 4, 2}, {2, 1, 3, 4, 7}, 4);
  check({2, 1, 3, 4, 2}, {3, 1, 2, 4, 1}, 0);
  check({2, 3, 0}, {2, 5, 0}, 1);
}

TEST(GatherElements, Hostile) {
  const auto op = fb::OpKind::gather_elements;
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1);
  for (std::int64_t bad : {std::int64_t{3}, std::int64_t{-4}, INT64_MAX, INT64_MIN})
    expect_bad_value(op, on_axis(0), {x, tensor<std::int64_t>({1, 2}, {0, bad})});
  expect_bad_value(op, on_axis(0),
                   {random_bytes(DType::float32, {0, 2}, 1), tensor<std::int32_t>({1, 2}, {0, 0})});
  const TensorData good = tensor<std::int64_t>({1, 2}, {0, 1});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(op, on_axis(axis), {x, good});
  expect_refused(op, on_axis(0), {x, x});
  expect_refused(op, on_axis(0), {x, tensor<std::int64_t>({2}, {0, 1})});
  expect_refused(op, on_axis(0), {x, tensor<std::int64_t>({1, 3}, {0, 1, 1})});
}

}  // namespace
}  // namespace skiff::test
