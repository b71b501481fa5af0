#include "tests/support/reference_scatter.h"

namespace skiff::test {
namespace {

void check_scatter_nd(const TensorData& x, const TensorData& indices, Reduction reduction) {
  const int depth = static_cast<int>(indices.shape.back());
  const Shape outer(
      indices.shape.extents().first(static_cast<std::size_t>(indices.shape.rank() - 1)));
  Shape shape = outer;
  for (int a = depth; a < x.shape.rank(); ++a) shape.push_back(x.shape[a]);
  const TensorData updates = small_numbers(x.dtype, shape, 5);
  std::vector<double> expected = x.numbers();
  const auto where = indices.numbers(), what = updates.numbers();
  std::size_t n = 0;
  for_each_index(shape, [&](const Index& index) {
    Index to;
    for (int i = 0; i < depth; ++i) {
      const auto v = static_cast<std::int64_t>(
          where[static_cast<std::size_t>(flat(outer, index) * depth + i)]);
      to.push_back(v < 0 ? v + x.shape[i] : v);
    }
    to.insert(to.end(), index.begin() + outer.rank(), index.end());
    double& place = expected[static_cast<std::size_t>(flat(x.shape, to))];
    place = reduced(reduction, place, what[n++]);
  });
  const auto y = run_op(fb::OpKind::scatter_nd, scatter(0, reduction), {x, indices, updates});
  EXPECT_EQ(y[0].numbers(), expected);
}

TEST(ScatterNd, EveryReductionAndType) {
  for (Reduction reduction : fb::EnumValuesScatterReduction()) {
    for (DType dtype : kNumeric) {
      const TensorData x = small_numbers(dtype, {3, 4, 5}, 1);
      check_scatter_nd(x, random_indices(DType::int64, {4, 1}, 3, 1), reduction);
      check_scatter_nd(x, random_indices(DType::int32, {2, 2, 2}, 3, 2), reduction);
      check_scatter_nd(x, random_indices(DType::int64, {7, 3}, 3, 3), reduction);
      check_scatter_nd(x, random_indices(DType::int64, {3}, 3, 4), reduction);
    }
  }
}

TEST(ScatterNd, ManyUpdatesOfOneBlock) {
  for (DType dtype : {DType::float32, DType::float16, DType::int64, DType::uint8}) {
    const TensorData x = small_numbers(dtype, {3, 2, 5}, 1);
    for (std::int64_t count : {32, 33, 90}) {
      check_scatter_nd(x, random_indices(DType::int64, {count, 1}, 3, 1), Reduction::none);
      check_scatter_nd(x, random_indices(DType::int32, {count, 2}, 2, 2), Reduction::none);
      check_scatter_nd(x, random_indices(DType::int64, {count, 3}, 2, 3), Reduction::none);
      check_scatter_nd(x, random_indices(DType::int64, {count, 1}, 3, 4), Reduction::maximum);
    }
  }
  check_scatter_nd(small_numbers(DType::float32, {3, 50}, 1),
                   random_indices(DType::int64, {300, 1}, 3, 2), Reduction::add);
}

TEST(ScatterNd, EdgeShapes) {
  for (Reduction reduction : {Reduction::none, Reduction::add}) {
    check_scatter_nd(small_numbers(DType::float32, {9}, 1),
                     random_indices(DType::int64, {70000, 1}, 9, 1), reduction);
    check_scatter_nd(small_numbers(DType::float32, {1, 1, 1, 1, 1}, 1),
                     random_indices(DType::int64, {2, 5}, 1, 1), reduction);
    check_scatter_nd(small_numbers(DType::float32, {40, 3000}, 1),
                     random_indices(DType::int64, {35, 1}, 40, 1), reduction);
    check_scatter_nd(small_numbers(DType::float32, {3, 2}, 1),
                     random_indices(DType::int64, {0, 1}, 3, 1), reduction);
    check_scatter_nd(small_numbers(DType::float32, {3, 0}, 1),
                     random_indices(DType::int64, {4, 1}, 3, 1), reduction);
  }
}

TEST(ScatterNd, Hostile) {
  const auto op = fb::OpKind::scatter_nd;
  const auto none = Reduction::none;
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1), u = tensor<float>({1}, {0});
  for (std::int64_t bad : {std::int64_t{2}, std::int64_t{-3}, INT64_MAX, INT64_MIN})
    expect_bad_value(op, scatter(0, none), {x, tensor<std::int64_t>({1, 2}, {0, bad}), u});
  std::vector<std::int64_t> many(40, 0);
  many[17] = 3;
  expect_bad_value(
      op, scatter(0, none),
      {x, tensor<std::int64_t>({40, 1}, many), random_bytes(DType::float32, {40, 2}, 2)});
  const TensorData good = tensor<std::int64_t>({1, 2}, {0, 1});
  expect_refused(op, scatter(0, static_cast<Reduction>(9)), {x, good, u});
  expect_refused(op, scatter(0, none), {x, x, u});
  expect_refused(op, scatter(0, none), {x, good, tensor<std::int32_t>({1}, {0})});
  expect_refused(op, scatter(0, none), {x, good, tensor<float>({2}, {0, 0})});
  expect_refused(op, scatter(0, none), {x, good, tensor<float>({1, 1}, {0})});
  expect_refused(op, scatter(0, none), {x, tensor<std::int64_t>({1, 3}, {0, 0, 0}), u});
  expect_refused(op, scatter(0, none), {x, tensor<std::int64_t>({}, {0}), u});
}

}  // namespace
}  // namespace skiff::test
