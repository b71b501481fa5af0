#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

void check_trilu(DType dtype, const Shape& shape, bool upper, std::int64_t k) {
  fb::TriluAttrsT attrs;
  attrs.upper = upper;
  attrs.k = k;
  const TensorData x = random_bytes(dtype, shape, 1);
  const auto y = run_op(fb::OpKind::trilu, attrs, {x});
  expect_same(y[0], moved(x, shape, [&](const Index& i) -> std::optional<Index> {
                const std::int64_t offset = i[i.size() - 1] - i[i.size() - 2];
                if (upper ? offset < k : offset > k) return std::nullopt;
                return i;
              }));
}

TEST(Trilu, EveryDiagonalAndSize) {
  for (DType dtype : kSizes)
    for (const Shape& shape : {Shape{3, 5}, Shape{5, 3}, Shape{2, 3, 4, 4}, Shape{0, 3},
                               Shape{3, 0}, Shape{1, 4}, Shape{4, 1}, Shape{1, 1}})
      for (bool upper : {false, true})
        for (std::int64_t k : {INT64_MIN, std::int64_t{-6}, std::int64_t{-2}, std::int64_t{0},
                               std::int64_t{1}, std::int64_t{6}, INT64_MAX})
          check_trilu(dtype, shape, upper, k);
}

TEST(Trilu, ManyElements) {
  for (bool upper : {false, true}) check_trilu(DType::float32, {2, 1, 3, 150, 140}, upper, 7);
}

TEST(Trilu, Hostile) {
  expect_refused(fb::OpKind::trilu, fb::TriluAttrsT{}, {random_bytes(DType::float32, {3}, 1)});
}

}  // namespace
}  // namespace skiff::test
