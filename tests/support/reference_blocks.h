#pragma once

#include "tests/support/reference_movement.h"

// depth_to_space and space_to_depth are one map between two tensors, read in its two directions.
namespace skiff::test {

inline fb::BlockAttrsT blocks(std::int64_t size, bool crd) {
  fb::BlockAttrsT attrs;
  attrs.block_size = size;
  attrs.crd = crd;
  return attrs;
}

/// [N, spatial.., C] once as it lies in space and once with the cells of its blocks in the depth.
struct BlockShapes {
  std::int64_t size, channels, cells = 1;
  bool crd;
  Shape space{2}, depth{2};

  BlockShapes(const Shape& spatial, std::int64_t block, std::int64_t c, bool crd_order)
      : size(block), channels(c), crd(crd_order) {
    for (std::int64_t extent : spatial) {
      space.push_back(extent * size);
      depth.push_back(extent);
      cells *= size;
    }
    space.push_back(channels);
    depth.push_back(channels * cells);
  }

  /// Where the element at an index in space lies in the depth tensor.
  Index in_depth(Index index) const {
    std::int64_t cell = 0;
    for (std::size_t i = 1; i + 1 < index.size(); ++i) {
      cell = cell * size + index[i] % size;
      index[i] /= size;
    }
    index.back() = crd ? index.back() * cells + cell : cell * channels + index.back();
    return index;
  }
};

/// check(shapes, dtype) for both orders of channels, one to three spatial axes, sizes 1 to 3.
template <typename Check>
void for_each_blocks(Check&& check) {
  for (DType dtype : kSizes)
    for (bool crd : {false, true})
      for (const Shape& spatial : {Shape{3}, Shape{3, 4}, Shape{2, 3, 2}})
        for (std::int64_t size : {1, 2, 3}) check(BlockShapes(spatial, size, 5, crd), dtype);
}

inline void expect_bad_blocks_refused(fb::OpKind op) {
  const TensorData x = random_bytes(DType::float32, {1, 3, 3, 5}, 1);
  for (std::int64_t size : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{2}, INT64_MAX,
                            INT64_MIN, std::int64_t{1} << 32})
    expect_refused(op, blocks(size, false), {x});
  expect_refused(op, blocks(1, false), {random_bytes(DType::float32, {3, 3}, 1)});
  expect_refused(op, blocks(1, false), {random_bytes(DType::float32, {1, 1, 1, 1, 1, 1}, 1)});
}

}  // namespace skiff::test
