#include "converters/onnx/window.h"

#include "converters/onnx/table.h"

// Convolutions. Skiff's are channels-last, weights are [Cout, K..., Cin / groups].
namespace skiff::onnx {
namespace {

constexpr std::int64_t kMaxExtent = std::int64_t{1} << 31;

fb::ConvAttrsT conv_attrs(const Window& window, std::int64_t groups) {
  fb::ConvAttrsT attrs;
  attrs.strides = window.strides;
  attrs.dilations = window.dilations;
  attrs.pads = window.pads;
  attrs.groups = groups;
  return attrs;
}

Ints spatial_extents(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

/// [Cout, Cin / groups, K...] -> [Cout, K..., Cin / groups], computed now when it is known.
ValueId conv_weights(Op& op, ValueId weights) {
  const ValueId permuted = op.b.channels_last(weights);
  op.b.known(permuted);
  return permuted;
}

/// [Cin, Cout / groups, K...] -> [Cout, K..., Cin / groups].
ValueId transposed_weights(Op& op, ValueId weights, std::int64_t groups) {
  const Shape shape = op.b.shape(weights);
  Ints split{groups, shape[0] / groups, shape[1]}, perm{0, 2}, merged{groups * shape[1]};
  for (int axis = 2; axis < shape.rank(); ++axis) {
    split.push_back(shape[axis]);
    perm.push_back(axis + 1);
    merged.push_back(shape[axis]);
  }
  perm.push_back(1);
  merged.push_back(shape[0] / groups);
  const ValueId grouped = op.b.transpose(op.b.reshape(weights, to_shape(split)), perm);
  const ValueId result = op.b.reshape(grouped, to_shape(merged));
  op.b.known(result);
  return result;
}

Ints kernel_of(Op& op) {
  op.check(op.rank(1) == op.rank(0) && op.rank(0) >= 3, "input and weights have the shapes ",
           op.shape(0), " and ", op.shape(1));
  const Ints kernel = spatial_extents(op.shape(1)), given = op.integers("kernel_shape");
  op.check(given.empty() || given == kernel, "kernel_shape differs from the weights' ",
           op.shape(1));
  return kernel;
}

std::int64_t groups_of(Op& op) {
  const std::int64_t groups = op.integer("group", 1);
  op.check(groups >= 1 && op.shape(1)[0] % groups == 0, "group is ", groups,
           " with weights of shape ", op.shape(1));
  return groups;
}

void import_conv(Op& op) {
  const Window window = read_window(op, kernel_of(op));
  const std::int64_t groups = groups_of(op);
  std::vector<ValueId> inputs{op.b.channels_last(op.in(0)), conv_weights(op, op.in(1))};
  if (op.has(2)) inputs.push_back(op.in(2));
  const ValueId y = op.b.add(fb::OpKind::conv, conv_attrs(window, groups), std::move(inputs));
  op.out(op.b.channels_first(y));
}

/// With output_shape the padding follows from it; what is odd goes to the begin for SAME_UPPER and
/// to the end otherwise, as the definition has it.
void fit_output_shape(Op& op, Window& window, Ints& output_pads) {
  const std::string mode = op.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  Ints wanted = op.integers("output_shape");
  const auto n = static_cast<std::size_t>(window.spatial);
  if (wanted.empty() && !same) return;
  if (wanted.size() == n + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t extent = op.shape(0)[static_cast<int>(i) + 2];
    op.check(extent < kMaxExtent, "the input has the shape ", op.shape(0));
    if (wanted.size() == i) wanted.push_back(extent * window.strides[i]);
    const std::int64_t full = (extent - 1) * window.strides[i] + output_pads[i] +
                              (window.kernel[i] - 1) * window.dilations[i] + 1;
    op.check(wanted[i] >= 0 && wanted[i] < kMaxExtent, "output_shape has ", wanted[i]);
    output_pads[i] += std::max<std::int64_t>(wanted[i] - full, 0);
    const std::int64_t total = std::max<std::int64_t>(full - wanted[i], 0);
    window.pads[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.pads[i + n] = total - window.pads[i];
  }
  op.check(wanted.size() == n, "output_shape has ", wanted.size(), " entries, needs ", n);
}

void import_conv_transpose(Op& op) {
  Window window = read_window(op, kernel_of(op));
  const std::int64_t groups = groups_of(op);
  Ints output_pads = op.integers("output_padding");
  if (output_pads.empty()) output_pads.assign(window.kernel.size(), 0);
  op.check(output_pads.size() == window.kernel.size(), "output_padding has ", output_pads.size(),
           " entries, needs ", window.kernel.size());
  for (std::int64_t entry : output_pads)
    op.check(entry >= 0 && entry < kMaxExtent, "output_padding has the entry ", entry);
  fit_output_shape(op, window, output_pads);
  fb::ConvAttrsT attrs = conv_attrs(window, groups);
  attrs.output_pads = output_pads;
  std::vector<ValueId> inputs{op.b.channels_last(op.in(0)),
                              transposed_weights(op, op.in(1), groups)};
  if (op.has(2)) inputs.push_back(op.in(2));
  const ValueId y = op.b.add(fb::OpKind::conv_transpose, attrs, std::move(inputs));
  op.out(op.b.channels_first(y));
}

constexpr Adapter kAdapters[] = {
    {"Conv", {1, 11, 22}, import_conv},
    {"ConvTranspose", {1, 11, 22}, import_conv_transpose},
};

}  // namespace

std::span<const Adapter> conv_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
