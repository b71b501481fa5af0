#include "runtime/ops/conv.h"

#include "runtime/ops/activation.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

void check_operands(const NodeView& node, const TensorInfo& x, const TensorInfo& w) {
  check(node, x.shape.rank() >= 3 && x.shape.rank() <= 5, "input has shape ", x.shape,
        ", needs [N, 1 to 3 spatial axes, C]");
  check(node, w.shape.rank() == x.shape.rank(), "weights have shape ", w.shape,
        " for an input of shape ", x.shape);
  for (int axis = 1; axis < x.shape.rank(); ++axis)
    check(node, x.shape[axis] <= kMaxWindowExtent && w.shape[axis] <= kMaxWindowExtent, "extents ",
          x.shape, " or ", w.shape, " are too large");
  for (std::int64_t extent : w.shape) check(node, extent >= 1, "weights have shape ", w.shape);
}

void check_types(const NodeView& node, const TensorInfo& x, const TensorInfo& w) {
  if (node.op == fb::OpKind::integer_conv) {
    check(node, (x.dtype == DType::int8 || x.dtype == DType::uint8) && w.dtype == DType::int8,
          "input is ", x.dtype, ", weights are ", w.dtype, ", must be int8 or uint8, and int8");
    return;
  }
  const bool half_stored =
      x.dtype == DType::float32 && (w.dtype == DType::float16 || w.dtype == DType::bfloat16);
  check(node, w.dtype == x.dtype || half_stored, "weights are ", w.dtype, ", input is ", x.dtype);
}

void read_channels(const NodeView& node, const TensorInfo& x, const TensorInfo& w,
                   ConvGeometry& g) {
  g.batch = x.shape[0];
  g.cin = x.shape.back();
  g.cout = w.shape[0];
  g.groups = node.attrs<fb::ConvAttrs>().groups();
  check(node, g.groups >= 1 && g.cin % g.groups == 0 && g.cout % g.groups == 0, g.groups,
        " groups do not divide ", g.cin, " input and ", g.cout, " output channels");
  check(node, g.cin >= 1 && w.shape.back() == g.cin / g.groups, "weights ", w.shape, " take ",
        w.shape.back(), " channels a group, the input has ", g.cin / g.groups);
}

void read_windows(const NodeView& node, const TensorInfo& x, const TensorInfo& w, ConvGeometry& g) {
  const auto& attrs = node.attrs<fb::ConvAttrs>();
  const int n = g.spatial;
  std::array<std::int64_t, 6> strides{}, dilations{}, pads{};
  read_numbers(node, attrs.strides(), n, 1, kMaxWindowExtent, 1, "strides", strides);
  read_numbers(node, attrs.dilations(), n, 1, kMaxWindowExtent, 1, "dilations", dilations);
  read_numbers(node, attrs.pads(), 2 * n, 0, kMaxWindowExtent, 0, "pads", pads);
  for (int i = 0; i < n; ++i) {
    const auto from = static_cast<std::size_t>(i), to = static_cast<std::size_t>(3 - n + i);
    g.in[to] = x.shape[1 + i];
    g.kernel[to] = w.shape[1 + i];
    g.stride[to] = strides[from];
    g.dilation[to] = dilations[from];
    g.pad_begin[to] = pads[from];
    g.pad_end[to] = pads[from + static_cast<std::size_t>(n)];
    check(node, (g.kernel[to] - 1) * g.dilation[to] < kMaxWindowExtent, "a window of ",
          g.kernel[to], " with dilation ", g.dilation[to], " is too large");
  }
}

void check_vector(const NodeView& node, int input, std::int64_t count, DType dtype,
                  const char* what) {
  if (!node.has_input(input)) return;
  const TensorInfo& t = node.input(input);
  check(node, t.dtype == dtype && t.shape == Shape{count}, what, " is ", t.dtype, " ", t.shape,
        ", must be ", dtype, " [", count, "]");
}

/// Output extent along one axis; the window must fit at least once.
std::int64_t conv_extent(const NodeView& node, const ConvGeometry& g, std::size_t axis) {
  const std::int64_t window = (g.kernel[axis] - 1) * g.dilation[axis] + 1;
  const std::int64_t room = g.in[axis] + g.pad_begin[axis] + g.pad_end[axis] - window;
  check(node, room >= 0, "a window of ", window, " does not fit into ", g.in[axis], " + ",
        g.pad_begin[axis], " + ", g.pad_end[axis]);
  return room / g.stride[axis] + 1;
}

std::int64_t transpose_extent(const NodeView& node, const ConvGeometry& g, std::size_t axis,
                              std::int64_t output_pad) {
  const std::int64_t window = (g.kernel[axis] - 1) * g.dilation[axis] + 1;
  const std::int64_t full = (g.in[axis] - 1) * g.stride[axis] + window + output_pad;
  const std::int64_t extent = full - g.pad_begin[axis] - g.pad_end[axis];
  check(node, g.in[axis] >= 1 && extent >= 1 && extent <= kMaxWindowExtent, "axis ", axis,
        " of the output would have ", extent, " elements");
  return extent;
}

}  // namespace

ConvGeometry read_conv_geometry(const NodeView& node) {
  const TensorInfo &x = node.input(0), &w = node.input(1);
  check_operands(node, x, w);
  check_types(node, x, w);
  ConvGeometry g;
  g.spatial = x.shape.rank() - 2;
  read_channels(node, x, w, g);
  read_windows(node, x, w, g);
  const bool integer = node.op == fb::OpKind::integer_conv;
  check_vector(node, 2, g.cout, integer ? DType::float32 : x.dtype, "bias");

  const auto& attrs = node.attrs<fb::ConvAttrs>();
  const bool transposed = node.op == fb::OpKind::conv_transpose;
  std::array<std::int64_t, 3> output_pads{};
  read_numbers(node, attrs.output_pads(), g.spatial, 0, transposed ? kMaxWindowExtent : 0, 0,
               "output_pads", output_pads);
  for (int i = 0; i < g.spatial; ++i) {
    const auto axis = static_cast<std::size_t>(3 - g.spatial + i);
    g.out[axis] = transposed
                      ? transpose_extent(node, g, axis, output_pads[static_cast<std::size_t>(i)])
                      : conv_extent(node, g, axis);
  }
  check_activation(node, attrs.activation(), attrs.alpha(), attrs.beta());
  check_sums(node, attrs.sums());
  return g;
}

Shape conv_output(const ConvGeometry& g) {
  Shape shape{g.batch};
  for (int i = 3 - g.spatial; i < 3; ++i) shape.push_back(g.out[static_cast<std::size_t>(i)]);
  shape.push_back(g.cout);
  return shape;
}

namespace {

void set_output(const NodeView& node, const ConvGeometry& g, TensorInfo& y) {
  y.dtype = node.input(0).dtype;
  y.shape = conv_output(g);
}

}  // namespace

void infer_conv(const NodeView& node, std::span<TensorInfo> outputs) {
  set_output(node, read_conv_geometry(node), outputs[0]);
  if (!node.has_input(3)) return;
  const TensorInfo& residual = node.input(3);
  check(node, residual.dtype == outputs[0].dtype && residual.shape == outputs[0].shape,
        "residual is ", residual.dtype, " ", residual.shape, ", the output ", outputs[0].dtype, " ",
        outputs[0].shape);
}

void infer_conv_transpose(const NodeView& node, std::span<TensorInfo> outputs) {
  set_output(node, read_conv_geometry(node), outputs[0]);
}

}  // namespace skiff
