#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {

void import_gather(Operation& op) {
  const auto& options = op.options<tflite::Gather>();
  fb::GatherAttrsT attrs;
  attrs.axis = op.axis(options.axis(), op.shape(0).rank());
  attrs.batch_dims = options.batch_dims();
  if (attrs.batch_dims < 0) attrs.batch_dims += op.shape(1).rank();
  op.output(op.add(fb::OpKind::gather, attrs, {op.in(0), op.in(1)}));
}

void import_gather_nd(Operation& op) {
  op.output(op.add(fb::OpKind::gather_nd, fb::GatherAttrsT(), {op.in(0), op.in(1)}));
}

/// Updates added into zeros of the given shape.
void import_scatter_nd(Operation& op) {
  const ir::ValueId zero = op.cast(op.constant<float>(Shape(), {0.0F}), op.dtype(1));
  fb::ShapeAttrsT shape;
  shape.shape = op.integers(2);
  fb::ScatterAttrsT attrs;
  attrs.reduction = fb::ScatterReduction::add;
  const ir::ValueId zeros = op.add(fb::OpKind::expand, shape, {zero});
  op.output(op.add(fb::OpKind::scatter_nd, attrs, {zeros, op.in(0), op.in(1)}));
}

/// Operands: indices, depth, on, off.
void import_one_hot(Operation& op) {
  fb::OneHotAttrsT attrs;
  attrs.depth = op.integer(1);
  op.check(attrs.depth >= 0, "a depth of ", attrs.depth);
  attrs.axis = op.axis(op.options<tflite::OneHot>().axis(), op.shape(0).rank() + 1);
  fb::AxisAttrsT pair;
  pair.axis = 0;
  const ir::ValueId values = op.add(
      fb::OpKind::concat, pair, {op.reshape(op.in(3), Shape{1}), op.reshape(op.in(2), Shape{1})});
  op.output(op.add(fb::OpKind::one_hot, attrs, {op.in(0), values}));
}

}  // namespace skiff::convert::tfl
