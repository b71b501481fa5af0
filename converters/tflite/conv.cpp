#include <algorithm>

#include "converters/tflite/imports.h"
#include "converters/tflite/window.h"

namespace skiff::convert::tfl {
namespace {

void set_activation(fb::ConvAttrsT& attrs, tflite::Activation activation) {
  const FusedActivation fused = fused_activation(activation);
  attrs.activation = fused.function;
  attrs.alpha = fused.alpha;
  attrs.beta = fused.beta;
}

/// x [N, S..., C] with w [Cout, K..., C / groups], padded by the format's rule.
void add_conv(Operation& op, fb::ConvAttrsT attrs, ir::ValueId weights, tflite::Padding padding) {
  const Shape x = op.shape(0);
  const Shape w = op.shape_of(weights);
  const int spatial = static_cast<int>(attrs.strides.size());
  op.check(x.rank() == spatial + 2 && w.rank() == spatial + 2, "operands of shapes ", x, " and ",
           w);
  attrs.pads = window_pads(op, Shape(x.extents().subspan(1, attrs.strides.size())),
                           Shape(w.extents().subspan(1, attrs.strides.size())), attrs.strides,
                           attrs.dilations, padding);
  std::vector<ir::ValueId> inputs = {op.in(0), weights};
  if (op.has(2)) inputs.push_back(op.reshape(op.in(2), Shape{w[0]}));
  op.output(op.add(fb::OpKind::conv, attrs, std::move(inputs)));
}

std::int64_t groups_of(const Operation& op, std::int64_t channels, std::int64_t per_group) {
  op.check(per_group > 0 && channels > 0 && channels % per_group == 0, "a filter of ", per_group,
           " channels on ", channels);
  return channels / per_group;
}

}  // namespace

void import_conv_2d(Operation& op) {
  const auto& options = op.options<tflite::Conv2D>();
  fb::ConvAttrsT attrs;
  attrs.strides = {options.stride_h(), options.stride_w()};
  attrs.dilations = {options.dilation_h(), options.dilation_w()};
  set_activation(attrs, options.activation());
  op.check(op.shape(0).rank() == 4 && op.shape(1).rank() == 4, "operands of shapes ", op.shape(0),
           " and ", op.shape(1));
  attrs.groups = groups_of(op, op.shape(0)[3], op.shape(1)[3]);
  add_conv(op, attrs, op.in(1), options.padding());
}

/// Weights [1, kh, kw, C * m] become [C * m, kh, kw, 1].
void import_depthwise_conv_2d(Operation& op) {
  const auto& options = op.options<tflite::DepthwiseConv2D>();
  fb::ConvAttrsT attrs;
  attrs.strides = {options.stride_h(), options.stride_w()};
  attrs.dilations = {options.dilation_h(), options.dilation_w()};
  set_activation(attrs, options.activation());
  const Shape w = op.shape(1);
  op.check(op.shape(0).rank() == 4 && w.rank() == 4 && w[0] == 1, "operands of shapes ",
           op.shape(0), " and ", w);
  attrs.groups = op.shape(0)[3];
  add_conv(op, attrs, op.transpose(op.in(1), {3, 1, 2, 0}), options.padding());
}

/// Weights [kd, kh, kw, Cin, Cout] become [Cout, kd, kh, kw, Cin].
void import_conv_3d(Operation& op) {
  const auto& options = op.options<tflite::Conv3D>();
  fb::ConvAttrsT attrs;
  attrs.strides = {options.stride_d(), options.stride_h(), options.stride_w()};
  attrs.dilations = {options.dilation_d(), options.dilation_h(), options.dilation_w()};
  set_activation(attrs, options.activation());
  op.check(op.shape(0).rank() == 5 && op.shape(1).rank() == 5, "operands of shapes ", op.shape(0),
           " and ", op.shape(1));
  attrs.groups = groups_of(op, op.shape(0)[4], op.shape(1)[3]);
  add_conv(op, attrs, op.transpose(op.in(1), {4, 0, 1, 2, 3}), options.padding());
}

void add_conv_transpose(Operation& op, fb::ConvAttrsT attrs, ir::ValueId x, ir::ValueId weights,
                        ir::ValueId bias, const Shape& out, tflite::Padding padding) {
  const std::size_t spatial = attrs.strides.size();
  const Shape in = op.shape_of(x);
  const Shape w = op.shape_of(weights);
  op.check(in.rank() == static_cast<int>(spatial) + 2 && w.rank() == in.rank() &&
               out.rank() == static_cast<int>(spatial),
           "operands of shapes ", in, " and ", w);
  if (attrs.dilations.empty()) attrs.dilations.assign(spatial, 1);
  const Shape kernel(w.extents().subspan(1, spatial));
  attrs.pads = window_pads(op, out, kernel, attrs.strides, attrs.dilations, padding);
  attrs.output_pads.assign(spatial, 0);
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<int>(i);
    op.check(in[axis + 1] < kMaxExtent, "an extent of ", in[axis + 1]);
    // What the end must give up or get for the wanted extent; the begin is fixed by the rule.
    const std::int64_t whole =
        (in[axis + 1] - 1) * attrs.strides[i] + (kernel[axis] - 1) * attrs.dilations[i] + 1;
    const std::int64_t end = whole - out[axis] - attrs.pads[i];
    attrs.pads[i + spatial] = std::max<std::int64_t>(end, 0);
    attrs.output_pads[i] = std::max<std::int64_t>(-end, 0);
  }
  std::vector<ir::ValueId> inputs = {x, weights};
  if (bias != ir::kAbsent) inputs.push_back(bias);
  op.output(op.add(fb::OpKind::conv_transpose, attrs, std::move(inputs)));
}

namespace {

/// The spatial extents of a wanted output shape [N, S..., C].
Shape wanted_extents(Operation& op, int operand, std::size_t spatial) {
  const std::vector<std::int64_t> wanted = op.integers(operand);
  op.check(wanted.size() == spatial + 2, "an output shape of ", wanted.size(), " numbers");
  Shape extents;
  for (std::size_t i = 1; i <= spatial; ++i) {
    op.check(wanted[i] > 0 && wanted[i] < kMaxExtent, "an output extent of ", wanted[i]);
    extents.push_back(wanted[i]);
  }
  return extents;
}

}  // namespace

void import_transpose_conv(Operation& op) {
  const auto& options = op.options<tflite::TransposeConv>();
  fb::ConvAttrsT attrs;
  attrs.strides = {options.stride_h(), options.stride_w()};
  set_activation(attrs, options.activation());
  add_conv_transpose(op, attrs, op.in(2), op.in(1), op.in_or_absent(3), wanted_extents(op, 0, 2),
                     options.padding());
}

/// Weights [kd, kh, kw, Cout, Cin] become [Cout, kd, kh, kw, Cin].
void import_conv_3d_transpose(Operation& op) {
  const auto& options = op.options<tflite::Conv3D>();
  fb::ConvAttrsT attrs;
  attrs.strides = {options.stride_d(), options.stride_h(), options.stride_w()};
  attrs.dilations = {options.dilation_d(), options.dilation_h(), options.dilation_w()};
  set_activation(attrs, options.activation());
  op.check(op.shape(1).rank() == 5, "weights of shape ", op.shape(1));
  add_conv_transpose(op, attrs, op.in(2), op.transpose(op.in(1), {3, 0, 1, 2, 4}),
                     op.in_or_absent(3), wanted_extents(op, 0, 3), options.padding());
}

}  // namespace skiff::convert::tfl
