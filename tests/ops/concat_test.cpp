#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

fb::AxisAttrsT on_axis(std::int64_t axis) {
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return attrs;
}

void check_concat(DType dtype, Shape shape, int axis, const std::vector<std::int64_t>& extents) {
  std::vector<TensorData> xs;
  std::int64_t total = 0;
  for (std::int64_t extent : extents) {
    shape[axis] = extent;
    xs.push_back(random_bytes(dtype, shape, static_cast<unsigned>(xs.size())));
    total += extent;
  }
  shape[axis] = total;
  TensorData expected{dtype, shape, {}, false, nullptr};
  for_each_index(shape, [&](Index index) {
    std::size_t i = 0;
    auto& along = index[static_cast<std::size_t>(axis)];
    for (; along >= extents[i]; ++i) along -= extents[i];
    const auto bytes = element(xs[i], flat(xs[i].shape, index));
    expected.bytes.insert(expected.bytes.end(), bytes.begin(), bytes.end());
  });
  expect_same(run_op(fb::OpKind::concat, on_axis(axis), xs)[0], expected);
}

TEST(Concat, EveryAxisAndSize) {
  for (DType dtype : kSizes) {
    for (int axis = 0; axis < 4; ++axis) {
      check_concat(dtype, {2, 3, 5, 4}, axis, {1});
      check_concat(dtype, {2, 3, 5, 4}, axis, {1, 7, 0, 2});
    }
    check_concat(dtype, {1, 1, 2, 1, 2, 1, 2, 3}, 7, {1, 2, 3});
    check_concat(dtype, {1}, 0, {3, 4});
  }
  check_concat(DType::float32, {2, 1}, 1, {40000, 3});
  check_concat(DType::float32, {0, 1}, 1, {4, 3});
}

TEST(Concat, Hostile) {
  const TensorData x = random_bytes(DType::float32, {2, 3}, 1);
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{2}, INT64_MAX, INT64_MIN})
    expect_refused(fb::OpKind::concat, on_axis(axis), {x, x});
  expect_refused(fb::OpKind::concat, on_axis(0), {x, random_bytes(DType::int32, {2, 3}, 1)});
  expect_refused(fb::OpKind::concat, on_axis(0), {x, random_bytes(DType::float32, {2, 4}, 1)});
  expect_refused(fb::OpKind::concat, on_axis(0), {x, random_bytes(DType::float32, {2}, 1)});
  expect_refused(fb::OpKind::concat, on_axis(0), {random_bytes(DType::float32, {}, 1)});
}

}  // namespace
}  // namespace skiff::test
