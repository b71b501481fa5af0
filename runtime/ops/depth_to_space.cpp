#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Spatial rank, and block_size to the power of it.
std::int64_t check_block(const NodeView& node, const Shape& x, std::int64_t block) {
  check(node, x.rank() >= 3 && x.rank() <= 5, "operand of shape ", x,
        " must have batch, one to three spatial axes and channels");
  check(node, block >= 1 && block <= (std::int64_t{1} << 20), "block_size is ", block,
        ", must be in [1, 2^20]");
  std::int64_t cells = 1;
  for (int axis = 1; axis + 1 < x.rank(); ++axis) cells *= block;  // at most 2^60
  return cells;
}

}  // namespace

void infer_depth_to_space(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const std::int64_t block = node.attrs<fb::BlockAttrs>().block_size();
  const std::int64_t cells = check_block(node, x.shape, block);
  check(node, x.shape.back() % cells == 0, x.shape.back(), " channels do not divide by ", cells);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {x.shape[0]};
  for (int axis = 1; axis + 1 < x.shape.rank(); ++axis) {
    const auto extent = checked_mul(x.shape[axis], block);
    check(node, extent.has_value(), "axis ", axis, " would be too long");
    outputs[0].shape.push_back(*extent);
  }
  outputs[0].shape.push_back(x.shape.back() / cells);
}

void infer_space_to_depth(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const std::int64_t block = node.attrs<fb::BlockAttrs>().block_size();
  const std::int64_t cells = check_block(node, x.shape, block);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {x.shape[0]};
  for (int axis = 1; axis + 1 < x.shape.rank(); ++axis) {
    check(node, x.shape[axis] % block == 0, "axis ", axis, " of extent ", x.shape[axis],
          " does not divide by ", block);
    outputs[0].shape.push_back(x.shape[axis] / block);
  }
  const auto channels = checked_mul(x.shape.back(), cells);
  check(node, channels.has_value(), "there would be too many channels");
  outputs[0].shape.push_back(*channels);
}

}  // namespace skiff
