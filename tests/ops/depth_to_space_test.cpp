#include "tests/support/reference_movement.h"

namespace skiff::test {
namespace {

using Numbers = std::vector<std::int64_t>;

fb::BlockAttrsT blocks(std::int64_t size, bool crd) {
  fb::BlockAttrsT attrs;
  attrs.block_size = size;
  attrs.crd = crd;
  return attrs;
}

TEST(DepthToSpace, BothOrdersEverySize) {
  for (DType dtype : kSizes) {
    for (bool crd : {false, true}) {
      for (const Shape& spatial : {Shape{3}, Shape{3, 4}, Shape{2, 3, 2}}) {
        for (std::int64_t b : {1, 2, 3}) {
          std::int64_t cells = 1;
          Shape from{2}, to{2};
          for (std::int64_t extent : spatial) {
            from.push_back(extent);
            to.push_back(extent * b);
            cells *= b;
          }
          from.push_back(5 * cells);
          to.push_back(5);
          const TensorData x = random_bytes(dtype, from, 1);
          const auto y = run_op(fb::OpKind::depth_to_space, blocks(b, crd), {x});
          expect_same(y[0], moved(x, to, [&](Index index) {
                        std::int64_t cell = 0;
                        for (std::size_t i = 1; i + 1 < index.size(); ++i) {
                          cell = cell * b + index[i] % b;
                          index[i] /= b;
                        }
                        index.back() = crd ? index.back() * cells + cell : cell * 5 + index.back();
                        return index;
                      }));
        }
      }
    }
  }
}

TEST(DepthToSpace, Hostile) {
  const auto op = fb::OpKind::depth_to_space;
  const TensorData x = random_bytes(DType::float32, {1, 3, 3, 5}, 1);
  for (std::int64_t size : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{2}, INT64_MAX,
                            INT64_MIN, std::int64_t{1} << 32})
    expect_refused(op, blocks(size, false), {x});
  expect_refused(op, blocks(1, false), {random_bytes(DType::float32, {3, 3}, 1)});
  expect_refused(op, blocks(1, false), {random_bytes(DType::float32, {1, 1, 1, 1, 1, 1}, 1)});
}

}  // namespace
}  // namespace skiff::test
