#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::ShapeAttrsT repeat(const Numbers& repeats) {
  fb::ShapeAttrsT attrs;
  attrs.shape = repeats;
  return attrs;
}

void check_tile(const TensorData& x, const Numbers& repeats) {
  Shape shape;
  for (int a = 0; a < x.shape.rank(); ++a)
    shape.push_back(x.shape[a] * repeats[static_cast<std::size_t>(a)]);
  const auto y = run_op(fb::OpKind::tile, repeat(repeats), {x});
  expect_same(y[0], moved(x, shape, [&](Index index) {
                for (std::size_t a = 0; a < index.size(); ++a)
                  index[a] %= x.shape[static_cast<int>(a)];
                return index;
              }));
}

TEST(Tile, EveryRankAndSize) {
  std::mt19937 generator(1);
  for (DType dtype : kSizes) {
    for (int round = 0; round < 36; ++round) {
      const int rank = round % 9;
      Numbers repeats;
      for (int i = 0; i < rank; ++i)
        repeats.push_back(static_cast<std::int64_t>(generator() % (rank > 5 ? 2 : 4) + 1));
      check_tile(random_bytes(dtype, random_shape(rank, 1, rank > 5 ? 2 : 4, generator), 1),
                 repeats);
    }
    check_tile(random_bytes(dtype, {2, 3}, 1), {0, 2});
    check_tile(random_bytes(dtype, {2, 0}, 1), {3, 2});
    check_tile(random_bytes(dtype, {1}, 1), {70000});
  }
}

TEST(Tile, AxesThatRepeatAndAxesThatDoNot) {
  for (const Numbers& repeats :
       {Numbers{1, 1, 1, 1, 1}, Numbers{3, 1, 1, 1, 1}, Numbers{1, 1, 3, 1, 1},
        Numbers{1, 1, 1, 1, 3}, Numbers{2, 1, 3, 1, 1}, Numbers{1, 2, 2, 1, 3},
        Numbers{2, 3, 2, 1, 2}, Numbers{2, 2, 2, 2, 2}}) {
    check_tile(random_bytes(DType::float32, {2, 3, 1, 4, 2}, 1), repeats);
    check_tile(random_bytes(DType::float16, {1, 1, 1, 1, 1}, 1), repeats);
  }
}

TEST(Tile, Hostile) {
  const TensorData x = random_bytes(DType::float32, {2, 3}, 1);
  for (const Numbers& repeats :
       {Numbers{}, Numbers{1}, Numbers{1, 1, 1}, Numbers{-1, 1}, Numbers{INT64_MAX, 1},
        Numbers{1, INT64_MIN}, Numbers{1 << 30, 1 << 30}, Numbers(9, 1)})
    expect_refused(fb::OpKind::tile, repeat(repeats), {x});
}

}  // namespace
}  // namespace skiff::test
