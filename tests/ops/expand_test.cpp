#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::ShapeAttrsT to_shape(const Numbers& shape) {
  fb::ShapeAttrsT attrs;
  attrs.shape = shape;
  return attrs;
}

void check_expand(const TensorData& x, const Numbers& target, const Shape& shape) {
  const auto y = run_op(fb::OpKind::expand, to_shape(target), {x});
  expect_same(y[0], moved(x, shape, [&](const Index& index) {
                Index from(index.end() - x.shape.rank(), index.end());
                for (int a = 0; a < x.shape.rank(); ++a)
                  if (x.shape[a] == 1) from[static_cast<std::size_t>(a)] = 0;
                return from;
              }));
}

TEST(Expand, EverySize) {
  for (DType dtype : kSizes) {
    check_expand(random_bytes(dtype, {}, 1), {}, {});
    check_expand(random_bytes(dtype, {}, 1), {7}, {7});
    check_expand(random_bytes(dtype, {3, 1}, 1), {3, 5}, {3, 5});
    check_expand(random_bytes(dtype, {3, 1}, 1), {2, 1, 6}, {2, 3, 6});
    check_expand(random_bytes(dtype, {2, 3, 4}, 1), {4}, {2, 3, 4});
    check_expand(random_bytes(dtype, {1, 3, 1, 4}, 1), {2, 1, 5, 1}, {2, 3, 5, 4});
    check_expand(random_bytes(dtype, {1, 2, 1, 2, 1, 1, 3, 1}, 1), {2, 2, 2, 2, 2, 3, 3, 2},
                 {2, 2, 2, 2, 2, 3, 3, 2});
    check_expand(random_bytes(dtype, {1, 2}, 1), {0, 2}, {0, 2});
    check_expand(random_bytes(dtype, {1, 40000}, 1), {3, 40000}, {3, 40000});
  }
}

TEST(Expand, Hostile) {
  const TensorData x = random_bytes(DType::float32, {2, 3}, 1);
  for (const Numbers& target : {Numbers{4}, Numbers{3, 3}, Numbers{-1, 3}, Numbers{0, 3},
                                Numbers{INT64_MAX, 1, 1}, Numbers{INT64_MIN}, Numbers(9, 1)})
    expect_refused(fb::OpKind::expand, to_shape(target), {x});
}

}  // namespace
}  // namespace skiff::test
