#include <algorithm>
#include <numeric>

#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

void check_transpose(const TensorData& x, const std::vector<std::int64_t>& perm) {
  fb::TransposeAttrsT attrs;
  attrs.perm = perm;
  Shape shape;
  for (std::int64_t axis : perm) shape.push_back(x.shape[static_cast<int>(axis)]);
  const auto y = run_op(fb::OpKind::transpose, attrs, {x});
  expect_same(y[0], moved(x, shape, [&](const Index& index) {
                Index from(index.size());
                for (std::size_t i = 0; i < perm.size(); ++i)
                  from[static_cast<std::size_t>(perm[i])] = index[i];
                return from;
              }));
}

TEST(Transpose, EveryRankAndSize) {
  std::mt19937 generator(1);
  for (DType dtype : kSizes) {
    for (int rank = 0; rank <= kMaxRank; ++rank) {
      for (unsigned round = 0; round < 4; ++round) {
        const Shape shape = random_shape(rank, 1, rank > 5 ? 3 : 7, generator);
        std::vector<std::int64_t> perm(static_cast<std::size_t>(rank));
        std::iota(perm.begin(), perm.end(), 0);
        std::shuffle(perm.begin(), perm.end(), generator);
        check_transpose(random_bytes(dtype, shape, round), perm);
      }
    }
  }
}

TEST(Transpose, ImageLayouts) {
  for (DType dtype : kSizes) {
    for (std::int64_t channels : {1, 2, 3, 4, 5, 16, 37}) {
      check_transpose(random_bytes(dtype, {2, channels, 19, 23}, 1), {0, 2, 3, 1});
      check_transpose(random_bytes(dtype, {2, 19, 23, channels}, 2), {0, 3, 1, 2});
    }
  }
  check_transpose(random_bytes(DType::float32, {1, 3, 160, 161}, 3), {0, 2, 3, 1});
  check_transpose(random_bytes(DType::float32, {3, 40000}, 4), {0, 1});
  check_transpose(random_bytes(DType::float32, {2, 20000, 3}, 5), {2, 0, 1});
  check_transpose(random_bytes(DType::float32, {2, 3, 20000}, 6), {1, 0, 2});
  check_transpose(random_bytes(DType::float32, {2, 7, 4, 64}, 7), {0, 2, 1, 3});
}

TEST(Transpose, Empty) { check_transpose(random_bytes(DType::float32, {3, 0, 2}, 1), {2, 1, 0}); }

TEST(Transpose, HostileAttributes) {
  const TensorData x = random_bytes(DType::float32, {2, 3}, 1);
  for (const std::vector<std::int64_t>& perm : {std::vector<std::int64_t>{},
                                                {0},
                                                {0, 0},
                                                {0, 2},
                                                {-1, 0},
                                                {0, 1, 2},
                                                {INT64_MAX, 0},
                                                {INT64_MIN, 1},
                                                std::vector<std::int64_t>(100, 0)}) {
    fb::TransposeAttrsT attrs;
    attrs.perm = perm;
    expect_refused(fb::OpKind::transpose, attrs, {x});
  }
}

}  // namespace
}  // namespace skiff::test
