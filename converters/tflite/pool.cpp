#include "converters/tflite/imports.h"
#include "converters/tflite/window.h"

namespace skiff::convert::tfl {

void import_pool_2d(Operation& op) {
  const auto& options = op.options<tflite::Pool2D>();
  const Shape x = op.shape(0);
  op.check(x.rank() == 4, "operand of shape ", x);
  fb::PoolAttrsT attrs;
  attrs.kernel = {options.filter_h(), options.filter_w()};
  attrs.strides = {options.stride_h(), options.stride_w()};
  attrs.dilations = {1, 1};
  attrs.pads = window_pads(op, Shape{x[1], x[2]}, Shape(attrs.kernel), attrs.strides,
                           attrs.dilations, options.padding());
  const bool maximum = op.builtin() == tflite::Builtin::MAX_POOL_2D;
  attrs.function = maximum ? fb::PoolFunction::maximum : fb::PoolFunction::average;
  // The root of the mean of squares: the divisor leaves out the padding, unlike an L2 norm's.
  const bool l2 = op.builtin() == tflite::Builtin::L2_POOL_2D;
  ir::ValueId y = l2 ? op.unary(fb::UnaryFunction::square, op.in(0)) : op.in(0);
  y = op.add(fb::OpKind::pool, attrs, {y});
  if (l2) y = op.unary(fb::UnaryFunction::sqrt, y);
  op.output(y, options.activation());
}

}  // namespace skiff::convert::tfl
