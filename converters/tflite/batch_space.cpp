#include "converters/tflite/imports.h"
#include "converters/tflite/window.h"

// Both operators are a permutation of blocks: a reshape, a transpose and a reshape.
namespace skiff::convert::tfl {
namespace {

/// What both have: x [N, S..., rest...], a block size for each of S, and a pair of numbers for
/// each.
struct Blocks {
  Shape x;
  int spatial = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> pairs;
  std::int64_t product = 1;
};

Blocks read_blocks(Operation& op) {
  Blocks blocks{.x = op.shape(0), .sizes = op.integers(1), .pairs = op.integers(2)};
  const std::size_t count = blocks.sizes.size();
  op.check(count >= 1 && blocks.pairs.size() == 2 * count &&
               static_cast<std::size_t>(blocks.x.rank()) > count,
           count, " blocks and ", blocks.pairs.size(), " paddings for ", blocks.x);
  blocks.spatial = static_cast<int>(count);
  if (blocks.x.rank() + blocks.spatial > kMaxRank)
    op.refuse("its blocks would need more than ", kMaxRank, " axes");
  for (std::int64_t size : blocks.sizes) {
    op.check(size >= 1 && size < kMaxExtent && blocks.product < kMaxExtent, "a block of ", size);
    blocks.product *= size;
  }
  for (std::int64_t number : blocks.pairs)
    op.check(number >= 0 && number < kMaxExtent, "a padding of ", number);
  return blocks;
}

void add_rest(const Blocks& blocks, Shape& to) {
  for (int axis = blocks.spatial + 1; axis < blocks.x.rank(); ++axis) to.push_back(blocks.x[axis]);
}

/// Axes behind the spatial ones keep their order: they stand `shift` places later.
void add_rest(const Blocks& blocks, int shift, std::vector<std::int64_t>& perm) {
  for (int axis = blocks.spatial + 1; axis < blocks.x.rank(); ++axis) perm.push_back(axis + shift);
}

}  // namespace

void import_space_to_batch(Operation& op) {
  Blocks blocks = read_blocks(op);
  const auto rank = static_cast<std::size_t>(blocks.x.rank());
  fb::PadAttrsT pad;
  pad.pads.assign(2 * rank, 0);
  for (std::size_t i = 0; i < blocks.sizes.size(); ++i) {
    pad.pads[i + 1] = blocks.pairs[2 * i];
    pad.pads[i + 1 + rank] = blocks.pairs[2 * i + 1];
  }
  const ir::ValueId padded = op.add(fb::OpKind::pad, pad, {op.in(0)});
  const Shape whole = op.shape_of(padded);

  Shape cut{whole[0]}, result{whole[0] * blocks.product};
  std::vector<std::int64_t> perm;
  for (int i = 0; i < blocks.spatial; ++i) {
    const std::int64_t block = blocks.sizes[static_cast<std::size_t>(i)];
    op.check(whole[i + 1] % block == 0, "an extent of ", whole[i + 1], " in blocks of ", block);
    cut.push_back(whole[i + 1] / block);
    cut.push_back(block);
    result.push_back(whole[i + 1] / block);
    perm.push_back(2 + 2 * i);
  }
  perm.push_back(0);
  for (int i = 0; i < blocks.spatial; ++i) perm.push_back(1 + 2 * i);
  add_rest(blocks, cut);
  add_rest(blocks, result);
  add_rest(blocks, blocks.spatial, perm);
  op.output(op.reshape(op.transpose(op.reshape(padded, cut), perm), result));
}

void import_batch_to_space(Operation& op) {
  const Blocks blocks = read_blocks(op);
  op.check(blocks.x[0] % blocks.product == 0, "a batch of ", blocks.x[0], " in blocks of ",
           blocks.product);
  const std::int64_t batch = blocks.x[0] / blocks.product;
  Shape cut, result{batch};
  std::vector<std::int64_t> perm = {blocks.spatial}, starts = {0};
  for (int i = 0; i < blocks.spatial; ++i) {
    const std::int64_t block = blocks.sizes[static_cast<std::size_t>(i)];
    cut.push_back(block);
    perm.push_back(blocks.spatial + 1 + i);
    perm.push_back(i);
    op.check(blocks.x[i + 1] < kMaxExtent, "an extent of ", blocks.x[i + 1]);
    result.push_back(blocks.x[i + 1] * block);
    starts.push_back(blocks.pairs[2 * static_cast<std::size_t>(i)]);
  }
  cut.push_back(batch);
  for (int i = 0; i < blocks.spatial; ++i) cut.push_back(blocks.x[i + 1]);
  add_rest(blocks, cut);
  add_rest(blocks, result);
  add_rest(blocks, blocks.spatial, perm);
  const ir::ValueId whole = op.reshape(op.transpose(op.reshape(op.in(0), cut), perm), result);

  std::vector<std::int64_t> sizes(result.begin(), result.end());
  for (std::size_t i = 0; i < blocks.sizes.size(); ++i) {
    sizes[i + 1] -= blocks.pairs[2 * i] + blocks.pairs[2 * i + 1];
    op.check(sizes[i + 1] >= 0, "nothing is left of ", result);
  }
  starts.resize(sizes.size(), 0);
  op.output(op.slice(whole, starts, sizes));
}

}  // namespace skiff::convert::tfl
