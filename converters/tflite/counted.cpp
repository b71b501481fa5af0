#include <algorithm>
#include <limits>

#include "converters/ir/counts.h"
#include "converters/ir/first_results.h"
#include "converters/tflite/imports.h"

// Operators whose number of results depends on data.
namespace skiff::convert::tfl {
namespace {

/// What is in `x` [count], then zeros up to `size`; cut where there are more.
ir::ValueId padded(Operation& op, ir::ValueId x, std::int64_t size) {
  const ir::ValueId zeros =
      op.cast(op.constant(Shape{size}, std::vector<float>(static_cast<std::size_t>(size), 0.0F)),
              op.graph().value(x).dtype);
  fb::AxisAttrsT attrs;
  attrs.axis = 0;
  return op.slice(op.add(fb::OpKind::concat, attrs, {x, zeros}), {0}, {size});
}

/// The extent of `x` [count] as a number, int32.
ir::ValueId count_of(Operation& op, ir::ValueId x) {
  fb::ShapeAttrsT shape;
  shape.shape = {op.shape_of(x)[0]};
  const ir::ValueId one = op.constant(Shape(), std::vector<std::int32_t>{1});
  fb::ReduceAttrsT sum;
  sum.axes = {0};
  sum.keep_dims = false;
  return op.add(fb::OpKind::reduce, sum, {op.add(fb::OpKind::expand, shape, {one})});
}

}  // namespace

/// Operands: x, k. Along the last axis; of a k that the run finds out the results are as many as
/// there can be, and then cut.
void import_top_k(Operation& op) {
  const ir::Value& k = op.graph().value(op.in(1));
  op.check(k.shape.elements() == 1 &&
               (k.dtype == DType::int32 || k.dtype == DType::int64 || k.dtype == DType::int16),
           "k is ", k.dtype, " ", k.shape);
  const bool open = !k.constant;
  fb::TopKAttrsT attrs;
  attrs.axis = op.axis(-1, op.shape(0).rank());
  const std::int64_t extent = op.shape(0).back();
  op.check(!open || extent < std::numeric_limits<std::int32_t>::max(), "an axis of ", extent);
  attrs.k = open ? ir::upper_bound(op.graph(), op.in(1), extent) : op.integer(1);
  op.check(attrs.k >= 0, "the ", attrs.k, " largest");
  const ir::NodeId node = op.add_node(fb::OpKind::top_k, attrs, {op.in(0)}, 2);
  std::vector<ir::ValueId> outputs = op.graph().node(node).outputs;
  if (open) ir::keep_first<std::int32_t>(op, outputs, attrs.axis, op.in(1), attrs.k);
  op.output(outputs[0], 0);
  op.output(op.cast(outputs[1], op.output_dtype(1)), 1);
}

/// With three operands a choice between two of them, with one the indices of what is not zero.
void import_where(Operation& op) {
  if (op.input_count() > 1) return import_select(op);
  op.output(op.transpose(op.add(fb::OpKind::non_zero, {}, {op.in(0)}), {1, 0}));
}

/// Distinct numbers in the order of their first places, and for each place which one stands there.
void import_unique(Operation& op) {
  fb::UniqueAttrsT attrs;
  attrs.sorted = false;
  const ir::NodeId node = op.add_node(fb::OpKind::unique, attrs, {op.in(0)}, 3);
  const std::vector<ir::ValueId> results = op.graph().node(node).outputs;
  op.output(results[0]);
  op.output(op.cast(results[2], op.output_dtype(1)), 1);
}

/// Operands: boxes, scores, most boxes, overlap, least score, and of V5 a sigma. The results have
/// the size of most boxes; zeros stand behind what was found.
void import_non_max_suppression(Operation& op) {
  const bool fifth = op.builtin() == tflite::Builtin::NON_MAX_SUPPRESSION_V5;
  const auto number = [&](int i) {
    const std::vector<double> list = op.numbers(i);
    op.check(list.size() == 1, "operand ", i, " has ", list.size(), " numbers, must have one");
    return static_cast<float>(list[0]);
  };
  if (fifth && number(5) != 0) op.refuse("scores that fall with the overlap are not supported");
  fb::NmsAttrsT attrs;
  const std::int64_t most = std::max<std::int64_t>(0, op.integer(2));
  attrs.max_output_boxes_per_class = most;
  attrs.iou_threshold = number(3);
  attrs.score_threshold = number(4);
  attrs.has_score_threshold = attrs.suppress_equal = true;
  op.check(op.shape(0).rank() == 2 && op.shape(1).rank() == 1, "operands of shapes ", op.shape(0),
           " and ", op.shape(1));
  const std::int64_t boxes = op.shape(0)[0];
  const ir::ValueId found = op.add(
      fb::OpKind::non_max_suppression, attrs,
      {op.reshape(op.in(0), {1, boxes, op.shape(0)[1]}), op.reshape(op.in(1), {1, 1, boxes})});
  const std::int64_t count = op.shape_of(found)[0];
  const ir::ValueId picked = op.reshape(op.slice(found, {0, 2}, {count, 1}), {count});
  op.output(op.cast(padded(op, picked, most), DType::int32));
  if (fifth)
    op.output(padded(op, op.add(fb::OpKind::gather, fb::GatherAttrsT(), {op.in(1), picked}), most),
              1);
  op.output(count_of(op, picked), fifth ? 2 : 1);
}

}  // namespace skiff::convert::tfl
