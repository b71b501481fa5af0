#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::GatherAttrsT batched(std::int64_t batch_dims) {
  fb::GatherAttrsT attrs;
  attrs.batch_dims = batch_dims;
  return attrs;
}

/// Tuples that fit axes [batch, batch + depth) of x, negative ones among them.
TensorData random_tuples(const Shape& x, const Shape& outer, int batch, std::int64_t depth) {
  std::mt19937 generator(3);
  std::vector<std::int64_t> values;
  for (std::int64_t n = 0; n < outer.elements(); ++n)
    for (int i = 0; i < depth; ++i)
      values.push_back(
          std::uniform_int_distribution<std::int64_t>(-x[batch + i], x[batch + i] - 1)(generator));
  Shape shape = outer;
  shape.push_back(depth);
  return tensor(shape, values);
}

void check_gather_nd(const TensorData& x, const Shape& outer, int batch, int depth) {
  const TensorData indices = random_tuples(x.shape, outer, batch, depth);
  const auto numbers = indices.values<std::int64_t>();
  Shape shape = outer;
  for (int a = batch + depth; a < x.shape.rank(); ++a) shape.push_back(x.shape[a]);
  const auto y = run_op(fb::OpKind::gather_nd, batched(batch), {x, indices});
  expect_same(y[0], moved(x, shape, [&](const Index& index) {
                Index from(index.begin(), index.begin() + batch);
                for (int i = 0; i < depth; ++i) {
                  const auto n = numbers[static_cast<std::size_t>(flat(outer, index) * depth + i)];
                  from.push_back(n < 0 ? n + x.shape[batch + i] : n);
                }
                from.insert(from.end(), index.begin() + outer.rank(), index.end());
                return from;
              }));
}

TEST(GatherNd, EverySize) {
  for (DType dtype : kSizes) {
    const TensorData x = random_bytes(dtype, {2, 3, 4, 5}, 1);
    for (int depth = 1; depth <= 4; ++depth) {
      check_gather_nd(x, {7}, 0, depth);
      check_gather_nd(x, {}, 0, depth);
      check_gather_nd(x, {0}, 0, depth);
    }
    check_gather_nd(x, {2, 6}, 1, 1);
    check_gather_nd(x, {2, 6}, 1, 3);
    check_gather_nd(x, {2, 3, 2}, 2, 1);
    check_gather_nd(x, {2}, 1, 2);
  }
}

TEST(GatherNd, EdgeShapes) {
  check_gather_nd(random_bytes(DType::float32, {9}, 1), {70000}, 0, 1);
  check_gather_nd(random_bytes(DType::float32, {1, 1, 1, 1, 1}, 1), {3, 2}, 0, 5);
  check_gather_nd(random_bytes(DType::float32, {7, 300}, 1), {250}, 0, 1);
  check_gather_nd(random_bytes(DType::float16, {2, 1, 3, 4, 5}, 1), {2, 1, 6}, 2, 2);
  check_gather_nd(random_bytes(DType::float32, {2, 3, 0}, 1), {4}, 0, 2);
}

TEST(GatherNd, Hostile) {
  const auto op = fb::OpKind::gather_nd;
  const TensorData x = random_bytes(DType::float32, {3, 2}, 1);
  for (std::int64_t bad : {std::int64_t{2}, std::int64_t{-3}, INT64_MAX, INT64_MIN})
    expect_bad_value(op, batched(0), {x, tensor<std::int64_t>({1, 2}, {0, bad})});
  expect_bad_value(op, batched(0),
                   {random_bytes(DType::float32, {0, 2}, 1), tensor<std::int32_t>({1, 1}, {0})});
  const TensorData good = tensor<std::int64_t>({1, 2}, {0, 1});
  for (std::int64_t batch : {std::int64_t{-1}, std::int64_t{1}, std::int64_t{2}, INT64_MAX})
    expect_refused(op, batched(batch), {x, good});
  expect_refused(op, batched(0), {x, x});
  expect_refused(op, batched(0), {x, tensor<std::int64_t>({1, 3}, {0, 1, 1})});
  expect_refused(op, batched(0), {x, tensor<std::int64_t>({1, 0}, {})});
  expect_refused(op, batched(0), {x, tensor<std::int64_t>({}, {0})});
}

}  // namespace
}  // namespace skiff::test
