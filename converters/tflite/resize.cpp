#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

fb::ResizeAttrsT sized(Operation& op) {
  const Shape x = op.shape(0);
  const std::vector<std::int64_t> size = op.integers(1);
  op.check(x.rank() == 4 && size.size() == 2, "operands of shapes ", x, " and ", op.shape(1));
  fb::ResizeAttrsT attrs;
  attrs.sizes = {x[0], size[0], size[1], x[3]};
  return attrs;
}

void import_block(Operation& op, fb::OpKind kind, std::int64_t block_size) {
  fb::BlockAttrsT attrs;
  attrs.block_size = block_size;
  op.output(op.add(kind, attrs, {op.in(0)}));
}

}  // namespace

void import_resize_bilinear(Operation& op) {
  const auto& options = op.options<tflite::ResizeBilinear>();
  op.check(!options.align_corners() || !options.half_pixel_centers(),
           "corners are aligned and pixel centres are at one half");
  fb::ResizeAttrsT attrs = sized(op);
  attrs.mode = fb::ResizeMode::linear;
  attrs.coordinates = options.align_corners()        ? fb::CoordinateMode::align_corners
                      : options.half_pixel_centers() ? fb::CoordinateMode::half_pixel
                                                     : fb::CoordinateMode::asymmetric;
  op.output(op.add(fb::OpKind::resize, attrs, {op.in(0)}));
}

/// Aligned corners round half up, all others take the floor.
void import_resize_nearest(Operation& op) {
  const auto& options = op.options<tflite::ResizeNearest>();
  if (options.align_corners() && options.half_pixel_centers())
    op.refuse("corners are aligned and pixel centres are at one half");
  fb::ResizeAttrsT attrs = sized(op);
  attrs.mode = fb::ResizeMode::nearest;
  attrs.coordinates = options.align_corners()        ? fb::CoordinateMode::align_corners
                      : options.half_pixel_centers() ? fb::CoordinateMode::tf_half_pixel_for_nn
                                                     : fb::CoordinateMode::asymmetric;
  attrs.nearest =
      options.align_corners() ? fb::NearestMode::round_prefer_ceil : fb::NearestMode::floor;
  op.output(op.add(fb::OpKind::resize, attrs, {op.in(0)}));
}

void import_space_to_depth(Operation& op) {
  import_block(op, fb::OpKind::space_to_depth, op.options<tflite::SpaceToDepth>().block_size());
}

void import_depth_to_space(Operation& op) {
  import_block(op, fb::OpKind::depth_to_space, op.options<tflite::DepthToSpace>().block_size());
}

}  // namespace skiff::convert::tfl
