#include <algorithm>
#include <utility>

#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

/// Updates added into zeros of `shape`, each at its row of indices.
ir::ValueId scatter_sum(Operation& op, std::vector<std::int64_t> shape, ir::ValueId indices,
                        ir::ValueId updates) {
  const ir::ValueId zero =
      op.cast(op.constant<float>(Shape(), {0.0F}), op.graph().value(updates).dtype);
  fb::ShapeAttrsT zeros;
  zeros.shape = std::move(shape);
  fb::ScatterAttrsT attrs;
  attrs.reduction = fb::ScatterReduction::add;
  return op.add(fb::OpKind::scatter_nd, attrs,
                {op.add(fb::OpKind::expand, zeros, {zero}), indices, updates});
}

}  // namespace

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

/// Operands: indices, updates, shape.
void import_scatter_nd(Operation& op) {
  op.output(scatter_sum(op, op.integers(2), op.in(0), op.in(1)));
}

/// Rows of x summed by the segment each belongs to; segments are numbered in ascending order.
void import_segment_sum(Operation& op) {
  const std::vector<std::int64_t> segments = op.integers(1);
  const Shape x = op.shape(0);
  const auto rows = static_cast<std::int64_t>(segments.size());
  op.check(x.rank() > 0 && x[0] == rows && op.shape(1).rank() == 1, rows, " segments for ", x);
  op.check(std::is_sorted(segments.begin(), segments.end()) && (rows == 0 || segments[0] >= 0),
           "its segments are not in ascending order from 0");
  std::vector<std::int64_t> shape(x.begin(), x.end());
  shape[0] = rows == 0 ? 0 : segments.back() + 1;
  op.output(scatter_sum(op, std::move(shape), op.reshape(op.in(1), Shape{rows, 1}), op.in(0)));
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
