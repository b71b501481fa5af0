#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/quantize_rows.h"

namespace skiff {
namespace {

/// Shape that scale and zero point must have, elements aside.
void check_scale_shape(const NodeView& node, const fb::QuantizeAttrs& attrs, int operand) {
  const Shape &x = node.input(0).shape, &s = node.input(operand).shape;
  if (attrs.block_size() == 0 && s.elements() == 1) return;
  const int axis = read_axis(node, attrs.axis(), x.rank());
  if (attrs.block_size() == 0) {
    check(node, s.rank() == 1 && s[0] == x[axis], "operand ", operand, " is ", s,
          ", must have one entry or the ", x[axis], " of axis ", axis);
    return;
  }
  check(node, attrs.block_size() > 0, "block_size is ", attrs.block_size());
  Shape expected = x;
  expected[axis] = x[axis] / attrs.block_size() + (x[axis] % attrs.block_size() != 0 ? 1 : 0);
  check(node, s == expected, "operand ", operand, " is ", s, ", must be ", expected, ": blocks of ",
        attrs.block_size(), " along axis ", axis);
}

void check_scale(const NodeView& node, const fb::QuantizeAttrs& attrs, DType zero_point) {
  check(node, holds(ScaleTypes{}, node.input(1).dtype), "scale is ", node.input(1).dtype,
        ", must be a float of at most 32 bits");
  check_scale_shape(node, attrs, 1);
  if (!node.has_input(2)) return;
  check(node, node.input(2).dtype == zero_point, "zero point is ", node.input(2).dtype,
        ", must be ", zero_point);
  check(node, node.input(2).elements() == node.input(1).elements(), "zero point ",
        node.input(2).shape, " and scale ", node.input(1).shape, " differ");
  check_scale_shape(node, attrs, 2);
}

}  // namespace

void infer_quantize(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::QuantizeAttrs>();
  const auto to = static_cast<DType>(attrs.to());
  const DType from = node.input(0).dtype;
  check(node, holds(QuantizedTypes{}, to), "cannot quantize to dtype ", static_cast<int>(to));
  check(node, holds(ScaleTypes{}, from) || from == DType::int32, "operand is ", from,
        ", must be int32 or a float of at most 32 bits");
  check_scale(node, attrs, to);
  outputs[0].dtype = to;
  outputs[0].shape = node.input(0).shape;
}

void infer_dequantize(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::QuantizeAttrs>();
  const DType from = node.input(0).dtype;
  check(node, holds(QuantizedTypes{}, from) || from == DType::int32, "operand is ", from,
        ", must be int32 or an integer of at most 16 bits");
  check_scale(node, attrs, from);
  // `to` is the result's dtype where it names a float, else the scale's dtype is.
  const auto to = static_cast<DType>(attrs.to());
  outputs[0].dtype = holds(ScaleTypes{}, to) ? to : node.input(1).dtype;
  outputs[0].shape = node.input(0).shape;
}

}  // namespace skiff
