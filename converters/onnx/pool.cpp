#include "converters/onnx/window.h"

#include "converters/onnx/table.h"

// Pooling, channels-last in Skiff.
namespace skiff::onnx {
namespace {

using P = fb::PoolFunction;

fb::PoolAttrsT pool_attrs(Op& op, P function) {
  const Window window = read_window(op, op.integers("kernel_shape"));
  fb::PoolAttrsT attrs;
  attrs.function = function;
  attrs.kernel = window.kernel;
  attrs.strides = window.strides;
  attrs.dilations = window.dilations;
  attrs.pads = window.pads;
  attrs.ceil_mode = op.flag("ceil_mode", false);
  return attrs;
}

void import_max_pool(Op& op) {
  fb::PoolAttrsT attrs = pool_attrs(op, P::maximum);
  attrs.column_major = op.flag("storage_order", false);
  attrs.index_channels_first = true;
  const auto y =
      op.b.add_many(fb::OpKind::pool, attrs, {op.b.channels_last(op.in(0))}, op.wants(1) ? 2 : 1);
  op.out(0, op.b.channels_first(y[0]));
  if (op.wants(1)) op.out(1, op.b.channels_first(y[1]));
}

void import_average_pool(Op& op) {
  fb::PoolAttrsT attrs = pool_attrs(op, P::average);
  attrs.count_include_pad = op.flag("count_include_pad", false);
  op.out(op.b.channels_first(op.b.add(fb::OpKind::pool, attrs, {op.b.channels_last(op.in(0))})));
}

void import_lp_pool(Op& op) {
  fb::PoolAttrsT attrs = pool_attrs(op, P::lp);
  attrs.p = op.version == 1 ? static_cast<std::int64_t>(op.number("p", 2)) : op.integer("p", 2);
  op.out(op.b.channels_first(op.b.add(fb::OpKind::pool, attrs, {op.b.channels_last(op.in(0))})));
}

Ints spatial_axes(Op& op) {
  op.check(op.rank(0) >= 3, "the input has the shape ", op.shape(0), ", needs a spatial axis");
  Ints axes;
  for (int axis = 2; axis < op.rank(0); ++axis) axes.push_back(axis);
  return axes;
}

template <fb::ReduceFunction f>
void import_global(Op& op) {
  op.out(op.b.reduce(f, op.in(0), spatial_axes(op), true));
}

void import_global_lp(Op& op) {
  const std::int64_t p =
      op.version == 1 ? static_cast<std::int64_t>(op.number("p", 2)) : op.integer("p", 2);
  op.check(p == 1 || p == 2, "p is ", p, ", must be 1 or 2");
  const auto f = p == 1 ? fb::ReduceFunction::l1 : fb::ReduceFunction::l2;
  op.out(op.b.reduce(f, op.in(0), spatial_axes(op), true));
}

/// Indices count flat over the output as the window makes it; a larger output_shape adds zeros
/// behind.
void import_max_unpool(Op& op) {
  const Window window = read_window(op, op.integers("kernel_shape"));
  Shape natural{op.shape(0)[0]};
  const auto n = static_cast<std::size_t>(window.spatial);
  for (std::int64_t extent : op.shape(0))
    op.check(extent < (std::int64_t{1} << 31), "the input has the shape ", op.shape(0));
  for (std::size_t i = 0; i < n; ++i)
    natural.push_back((op.shape(0)[static_cast<int>(i) + 2] - 1) * window.strides[i] +
                      window.kernel[i] - window.pads[i] - window.pads[i + n]);
  natural.push_back(op.shape(0)[1]);
  fb::MaxUnpoolAttrsT attrs;
  attrs.shape = to_ints(natural);
  const ValueId x = op.b.channels_last(op.in(0)), indices = op.b.channels_last(op.in(1));
  const ValueId y = op.b.channels_first(op.b.add(fb::OpKind::max_unpool, attrs, {x, indices}));
  if (!op.has(2)) return op.out(y);
  const Ints wanted = op.known_integers(2, "output_shape");
  op.check(wanted.size() == n + 2, "output_shape has ", wanted.size(), " entries, needs ", n + 2);
  Ints pads(2 * (n + 2), 0);
  for (std::int64_t extent : wanted)
    op.check(extent >= 0 && extent < (std::int64_t{1} << 40), "output_shape has ", extent);
  for (std::size_t axis = 0; axis < n + 2; ++axis)
    pads[axis + n + 2] = wanted[axis] - op.b.dim(y, static_cast<int>(axis));
  op.out(op.b.pad(y, pads, fb::PadMode::constant, 0));
}

constexpr Adapter kAdapters[] = {
    {"AveragePool", {1, 7, 10, 11, 19, 22}, import_average_pool},
    {"GlobalAveragePool", {1, 22}, import_global<fb::ReduceFunction::mean>},
    {"GlobalLpPool", {1, 2, 22}, import_global_lp},
    {"GlobalMaxPool", {1, 22}, import_global<fb::ReduceFunction::maximum>},
    {"LpPool", {1, 2, 11, 18, 22}, import_lp_pool},
    {"MaxPool", {1, 8, 10, 11, 12, 22}, import_max_pool},
    {"MaxUnpool", {9, 11, 22}, import_max_unpool},
};

}  // namespace

std::span<const Adapter> pool_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
