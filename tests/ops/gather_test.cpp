#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

fb::GatherAttrsT gather(std::int64_t axis, std::int64_t batch_dims = 0) {
  fb::GatherAttrsT attrs;
  attrs.axis = axis;
  attrs.batch_dims = batch_dims;
  return attrs;
}

void check_gather(const TensorData& x, const TensorData& indices, int axis, int batch_dims) {
  Shape shape(x.shape.extents().first(static_cast<std::size_t>(axis)));
  for (int a = batch_dims; a < indices.shape.rank(); ++a) shape.push_back(indices.shape[a]);
  for (int a = axis + 1; a < x.shape.rank(); ++a) shape.push_back(x.shape[a]);
  const std::vector<double> numbers = indices.numbers();
  const auto y = run_op(fb::OpKind::gather, gather(axis, batch_dims), {x, indices});
  expect_same(y[0], moved(x, shape, [&](const Index& index) {
                const auto place = index.begin() + axis;
                const auto after = place + indices.shape.rank() - batch_dims;
                Index which(index.begin(), index.begin() + batch_dims);
                which.insert(which.end(), place, after);
                auto number = static_cast<std::int64_t>(
                    numbers[static_cast<std::size_t>(flat(indices.shape, which))]);
                if (number < 0) number += x.shape[axis];
                Index from(index.begin(), place);
                from.push_back(number);
                from.insert(from.end(), after, index.end());
                return from;
              }));
}

TEST(Gather, EveryAxisAndSize) {
  for (DType dtype : kSizes) {
    const TensorData x = random_bytes(dtype, {2, 3, 5, 4}, 1);
    for (DType index_type : {DType::int32, DType::int64}) {
      for (int axis = 0; axis < 4; ++axis) {
        for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 3}, Shape{0}})
          check_gather(x, random_indices(index_type, shape, x.shape[axis], 1), axis, 0);
        check_gather(x, random_indices(index_type, {2, 3}, x.shape[axis], 1), axis,
                     std::min(axis, 2));
      }
    }
    check_gather(random_bytes(dtype, {9, 300}, 1), random_indices(DType::int64, {999}, 9, 1), 0, 0);
  }
  check_gather(random_bytes(DType::float32, {2, 3, 0}, 1), random_indices(DType::int64, {4}, 3, 1),
               1, 0);
}

TEST(Gather, IndicesOutOfRange) {
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1);
  for (std::int64_t bad : {std::int64_t{3}, std::int64_t{-4}, INT64_MAX, INT64_MIN})
    expect_bad_value(fb::OpKind::gather, gather(0), {x, tensor<std::int64_t>({2}, {0, bad})});
  expect_bad_value(fb::OpKind::gather, gather(0),
                   {random_bytes(DType::float32, {0, 2}, 1), tensor<std::int32_t>({1}, {0})});
}

TEST(Gather, Hostile) {
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1);
  const TensorData indices = tensor<std::int64_t>({2}, {0, 1});
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(fb::OpKind::gather, gather(axis), {x, indices});
  for (std::int64_t batch : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(fb::OpKind::gather, gather(1, batch), {x, indices});
  expect_refused(fb::OpKind::gather, gather(1, 1), {x, indices});  // 3 batches against 2
  expect_refused(fb::OpKind::gather, gather(0), {x, x});
  expect_refused(fb::OpKind::gather, gather(0), {random_bytes(DType::float32, {}, 1), indices});
  expect_refused(fb::OpKind::gather, gather(0),
                 {random_bytes(DType::float32, {1, 1, 1, 1, 1}, 1),
                  tensor<std::int64_t>({1, 1, 1, 1, 1}, {0})});
}

}  // namespace
}  // namespace skiff::test
