#include "runtime/ops/pool.h"

#include "runtime/ops/attributes.h"
#include "runtime/ops/conv.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

std::int64_t extent(const NodeView& node, const PoolGeometry& g, std::size_t axis, bool ceil_mode) {
  const std::int64_t window = (g.kernel[axis] - 1) * g.dilation[axis] + 1;
  const std::int64_t padded = g.in[axis] + g.pad_begin[axis];
  const std::int64_t room = padded + g.pad_end[axis] - window;
  check(node, room >= 0, "a window of ", window, " does not fit into ", g.in[axis], " + ",
        g.pad_begin[axis], " + ", g.pad_end[axis]);
  if (!ceil_mode) return room / g.stride[axis] + 1;
  std::int64_t count = ceil_div(room, g.stride[axis]) + 1;
  // No window may start in the padding at the end.
  if ((count - 1) * g.stride[axis] >= padded) --count;
  return count;
}

}  // namespace

PoolGeometry read_pool_geometry(const NodeView& node) {
  const TensorInfo& x = node.input(0);
  const auto& attrs = node.attrs<fb::PoolAttrs>();
  PoolGeometry g;
  g.spatial = x.shape.rank() - 2;
  check(node, g.spatial >= 1 && g.spatial <= 3, "input has shape ", x.shape,
        ", needs [N, 1 to 3 spatial axes, C]");
  check(node, attrs.function() <= fb::PoolFunction::MAX, "function ",
        static_cast<int>(attrs.function()), " is not known");
  check(node, attrs.kernel() != nullptr && attrs.kernel()->size() > 0, "kernel is missing");
  check(node, attrs.function() != fb::PoolFunction::lp || attrs.p() >= 1, "p is ", attrs.p(),
        ", must be at least 1");
  g.batch = x.shape[0];
  g.channels = x.shape.back();
  const int n = g.spatial;
  std::array<std::int64_t, 6> kernel{}, strides{}, dilations{}, pads{};
  read_numbers(node, attrs.kernel(), n, 1, kMaxWindowExtent, 1, "kernel", kernel);
  read_numbers(node, attrs.strides(), n, 1, kMaxWindowExtent, 1, "strides", strides);
  read_numbers(node, attrs.dilations(), n, 1, kMaxWindowExtent, 1, "dilations", dilations);
  read_numbers(node, attrs.pads(), 2 * n, 0, kMaxWindowExtent, 0, "pads", pads);
  for (int i = 0; i < n; ++i) {
    const auto from = static_cast<std::size_t>(i), to = static_cast<std::size_t>(3 - n + i);
    g.in[to] = x.shape[1 + i];
    g.kernel[to] = kernel[from];
    g.stride[to] = strides[from];
    g.dilation[to] = dilations[from];
    g.pad_begin[to] = pads[from];
    g.pad_end[to] = pads[from + static_cast<std::size_t>(n)];
    check(node, g.in[to] >= 1 && g.in[to] <= kMaxWindowExtent, "input has shape ", x.shape);
    check(node, (g.kernel[to] - 1) * g.dilation[to] < kMaxWindowExtent, "a window of ",
          g.kernel[to], " with dilation ", g.dilation[to], " is too large");
    g.out[to] = extent(node, g, to, attrs.ceil_mode());
  }
  return g;
}

void infer_pool(const NodeView& node, std::span<TensorInfo> outputs) {
  const PoolGeometry g = read_pool_geometry(node);
  TensorInfo& y = outputs[0];
  y.dtype = node.input(0).dtype;
  y.shape = Shape{g.batch};
  for (int i = 3 - g.spatial; i < 3; ++i) y.shape.push_back(g.out[static_cast<std::size_t>(i)]);
  y.shape.push_back(g.channels);
  if (outputs.size() < 2) return;
  check(node, node.attrs<fb::PoolAttrs>().function() == fb::PoolFunction::maximum,
        "only the maximum has indices");
  outputs[1].dtype = DType::int64;
  outputs[1].shape = y.shape;
}

}  // namespace skiff
