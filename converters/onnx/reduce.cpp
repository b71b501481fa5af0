#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Reductions along axes, softmax and its kin, arg max, running sums, the k largest.
namespace skiff::onnx {
namespace {

using R = fb::ReduceFunction;
using S = fb::SoftmaxFunction;

Ints all_axes(int rank) {
  Ints axes;
  for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

/// Axes are an attribute, then (`moved` on) input 1. None: all, unless noop_with_empty_axes.
template <R f, int moved>
void import_reduce(Op& op) {
  const bool keep = op.flag("keepdims", true);
  const bool noop = op.flag("noop_with_empty_axes", false);
  Ints axes;
  if (op.version < moved)
    axes = op.integers("axes");
  else if (op.has(1))
    axes = op.known_integers(1, "axes");
  axes = op.axes(std::move(axes), op.rank(0));
  if (axes.empty() && !noop) axes = all_axes(op.rank(0));
  op.out(op.b.reduce(f, op.in(0), std::move(axes), keep));
}

template <fb::ArgFunction f>
void import_arg(Op& op) {
  fb::ArgReduceAttrsT attrs;
  attrs.function = f;
  attrs.axis = op.axis(op.integer("axis", 0), op.rank(0));
  attrs.keep_dims = op.flag("keepdims", true);
  attrs.select_last_index = op.flag("select_last_index", false);
  op.out(op.b.add(fb::OpKind::arg_reduce, attrs, {op.in(0)}));
}

/// Before opset 13 the axes from `axis` on were one.
template <S f>
void import_softmax(Op& op) {
  const int rank = op.rank(0);
  const std::int64_t given = op.integer("axis", op.version < 13 ? 1 : -1);
  if (op.version >= 13) return op.out(op.b.softmax(op.in(0), op.axis(given, rank), f));
  op.check(given >= -rank && given <= rank, "axis ", given, " is outside ", op.shape(0));
  const int axis = static_cast<int>(given < 0 ? given + rank : given);
  if (axis == rank - 1) return op.out(op.b.softmax(op.in(0), axis, f));
  const Shape shape = op.shape(0);
  const ValueId flat =
      op.b.reshape(op.in(0), {shape.elements(0, axis), shape.elements(axis, rank)});
  op.out(op.b.reshape(op.b.softmax(flat, 1, f), shape));
}

template <fb::CumulativeFunction f>
void import_cumulative(Op& op) {
  fb::CumulativeAttrsT attrs;
  attrs.function = f;
  attrs.axis = op.axis(op.known_integer(1, "axis"), op.rank(0));
  attrs.exclusive = op.flag("exclusive", false);
  attrs.reverse = op.flag("reverse", false);
  op.out(op.b.add(fb::OpKind::cumulative, attrs, {op.in(0)}));
}

constexpr Adapter kAdapters[] = {
    {"ArgMax", {1, 11, 12, 13}, import_arg<fb::ArgFunction::maximum>},
    {"ArgMin", {1, 11, 12, 13}, import_arg<fb::ArgFunction::minimum>},
    {"CumProd", {26}, import_cumulative<fb::CumulativeFunction::product>},
    {"CumSum", {11, 14}, import_cumulative<fb::CumulativeFunction::sum>},
    {"Hardmax", {1, 11, 13}, import_softmax<S::hardmax>},
    {"LogSoftmax", {1, 11, 13}, import_softmax<S::log_softmax>},
    {"ReduceL1", {1, 11, 13, 18}, import_reduce<R::l1, 18>},
    {"ReduceL2", {1, 11, 13, 18}, import_reduce<R::l2, 18>},
    {"ReduceLogSum", {1, 11, 13, 18}, import_reduce<R::log_sum, 18>},
    {"ReduceLogSumExp", {1, 11, 13, 18}, import_reduce<R::log_sum_exp, 18>},
    {"ReduceMax", {1, 11, 12, 13, 18, 20}, import_reduce<R::maximum, 18>},
    {"ReduceMean", {1, 11, 13, 18}, import_reduce<R::mean, 18>},
    {"ReduceMin", {1, 11, 12, 13, 18, 20}, import_reduce<R::minimum, 18>},
    {"ReduceProd", {1, 11, 13, 18}, import_reduce<R::product, 18>},
    {"ReduceSum", {1, 11, 13}, import_reduce<R::sum, 13>},
    {"ReduceSumSquare", {1, 11, 13, 18}, import_reduce<R::sum_square, 18>},
    {"Softmax", {1, 11, 13}, import_softmax<S::softmax>},
};

}  // namespace

std::span<const Adapter> reduce_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
