#include <algorithm>

#include "converters/frozen.h"
#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

ir::ValueId concat(Operation& op, std::vector<ir::ValueId> inputs, int axis) {
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return op.add(fb::OpKind::concat, attrs, std::move(inputs));
}

void check_rank(const Operation& op, std::size_t rank) {
  op.check(rank <= static_cast<std::size_t>(kMaxRank), "a result of ", rank, " axes, at most ",
           kMaxRank, " are possible");
}

/// `shape` with an axis of 1 put before `axis`.
Shape with_axis(const Operation& op, const Shape& shape, int axis) {
  check_rank(op, static_cast<std::size_t>(shape.rank()) + 1);
  Shape result;
  for (int i = 0; i <= shape.rank(); ++i) {
    if (i == axis) result.push_back(1);
    if (i < shape.rank()) result.push_back(shape[i]);
  }
  return result;
}

/// `shape` without the axes for which `drop` holds.
template <typename Predicate>
Shape without_axes(const Shape& shape, Predicate drop) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i)
    if (!drop(i)) result.push_back(shape[i]);
  return result;
}

/// The wanted extents: operand 1, else the options.
std::vector<std::int64_t> wanted_shape(Operation& op) {
  const auto* in_options = op.options<tflite::Reshape>().new_shape();
  if (op.has(1)) return op.integers(1);
  op.check(length(in_options) <= static_cast<std::size_t>(kMaxRank), "a shape of ",
           length(in_options), " numbers");
  std::vector<std::int64_t> wanted = to_list(in_options);
  // Old files say [0] for a scalar.
  if (wanted == std::vector<std::int64_t>{0} && op.shape(0).elements() == 1) wanted.clear();
  return wanted;
}

}  // namespace

void import_concatenation(Operation& op) {
  const auto& options = op.options<tflite::Concatenation>();
  std::vector<ir::ValueId> inputs;
  for (int i = 0; i < op.input_count(); ++i) inputs.push_back(op.in(i));
  op.check(!inputs.empty(), "no operands");
  op.output(concat(op, std::move(inputs), op.axis(options.axis(), op.shape(0).rank())),
            options.activation());
}

void import_pack(Operation& op) {
  op.check(op.input_count() > 0, "no operands");
  const int axis = op.axis(op.options<tflite::Pack>().axis(), op.shape(0).rank() + 1);
  std::vector<ir::ValueId> inputs;
  for (int i = 0; i < op.input_count(); ++i)
    inputs.push_back(op.reshape(op.in(i), with_axis(op, op.shape(i), axis)));
  op.output(concat(op, std::move(inputs), axis));
}

void import_unpack(Operation& op) {
  const Shape x = op.shape(0);
  const int axis = op.axis(op.options<tflite::Unpack>().axis(), x.rank());
  op.check(x[axis] == op.output_count(), op.output_count(), " outputs for an extent of ", x[axis]);
  const Shape dropped = without_axes(x, [&](int i) { return i == axis; });
  for (int i = 0; i < op.output_count(); ++i) {
    std::vector<std::int64_t> starts(static_cast<std::size_t>(x.rank()), 0);
    std::vector<std::int64_t> sizes(x.begin(), x.end());
    starts[static_cast<std::size_t>(axis)] = i;
    sizes[static_cast<std::size_t>(axis)] = 1;
    op.output(op.reshape(op.slice(op.in(0), starts, sizes), dropped), i);
  }
}

namespace {

/// The target for a tensor of shape `from`, an open extent filled in.
std::vector<std::int64_t> resolve_target(const Operation& op, std::vector<std::int64_t> wanted,
                                         const Shape& from) {
  int open = -1;
  std::int64_t known = 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::int64_t extent = wanted[i];
    op.check(extent >= -1 && extent <= (std::int64_t{1} << 46), "an extent of ", extent);
    op.check(extent != -1 || open < 0, "two open extents");
    if (extent == -1) open = static_cast<int>(i);
    if (extent > 0) op.check(known <= (std::int64_t{1} << 46) / extent, "too large a shape");
    if (extent != -1) known *= extent;
  }
  if (open >= 0) {
    op.check(known > 0 && from.elements() % known == 0, from, " cannot be reshaped to ",
             Shape(wanted));
    wanted[static_cast<std::size_t>(open)] = from.elements() / known;
  }
  return wanted;
}

}  // namespace

void import_reshape(Operation& op) {
  const std::vector<std::int64_t> wanted = wanted_shape(op);
  check_rank(op, wanted.size());
  const Shape now = op.shape(0), exported = op.exported(0);
  const std::vector<std::int64_t> frozen = resolve_target(op, wanted, exported);
  std::vector<std::int64_t> target =
      now == exported ? frozen : reshape_grown(exported, now, frozen);
  if (Shape(target).elements() != now.elements())
    target = resolve_target(op, wanted, now);
  else if (target != frozen)
    op.note_guess();
  const Shape to(target);
  op.output(op.reshape(op.in(0), to));
}

void import_squeeze(Operation& op) {
  const auto* listed = op.options<tflite::Squeeze>().dims();
  op.check(length(listed) <= static_cast<std::size_t>(kMaxRank), length(listed), " axes");
  const Shape x = op.shape(0);
  const std::string& name = op.graph().value(op.in(0)).name;
  // Files leave the number of axes open by giving none.
  if (length(listed) > 0 && x.rank() == 0)
    op.refuse("its operand '", name,
              "' has no axes; where the file leaves them open, give them: ", "--shape ", name,
              "=?x?");
  const std::vector<std::int64_t> axes = op.axes(to_list(listed), x.rank());
  for (std::int64_t axis : axes)
    op.check(x[static_cast<int>(axis)] == 1, "axis ", axis, " of ", x, " is not 1");
  const Shape to = without_axes(x, [&](int i) {
    return axes.empty() ? x[i] == 1 : std::find(axes.begin(), axes.end(), i) != axes.end();
  });
  op.output(op.reshape(op.in(0), to));
}

void import_expand_dims(Operation& op) {
  const int axis = op.axis(op.integer(1), op.shape(0).rank() + 1);
  op.output(op.reshape(op.in(0), with_axis(op, op.shape(0), axis)));
}

void import_transpose(Operation& op) {
  std::vector<std::int64_t> perm = op.integers(1);
  for (std::int64_t& axis : perm) axis = op.axis(axis, op.shape(0).rank());
  op.output(op.transpose(op.in(0), std::move(perm)));
}

void import_tile(Operation& op) {
  fb::ShapeAttrsT attrs;
  attrs.shape = op.integers(1);
  op.output(op.add(fb::OpKind::tile, attrs, {op.in(0)}));
}

void import_broadcast_to(Operation& op) {
  fb::ShapeAttrsT attrs;
  attrs.shape = op.integers(1);
  op.output(op.add(fb::OpKind::expand, attrs, {op.in(0)}));
}

/// Paddings [rank, 2] become begins, then ends.
void import_pad(Operation& op) {
  const Shape x = op.shape(0);
  const auto rank = static_cast<std::size_t>(x.rank());
  const std::vector<std::int64_t> pairs = op.integers(1);
  op.check(pairs.size() == 2 * rank, "paddings of ", pairs.size(), " numbers for ", rank, " axes");
  fb::PadAttrsT attrs;
  attrs.pads.resize(2 * rank);
  for (std::size_t i = 0; i < rank; ++i) {
    attrs.pads[i] = pairs[2 * i];
    attrs.pads[i + rank] = pairs[2 * i + 1];
  }
  std::vector<ir::ValueId> inputs = {op.in(0)};
  if (op.builtin() == tflite::Builtin::MIRROR_PAD)
    attrs.mode = op.options<tflite::MirrorPad>().mode() == tflite::MirrorMode::symmetric
                     ? fb::PadMode::symmetric
                     : fb::PadMode::reflect;
  if (op.builtin() == tflite::Builtin::PADV2) {
    if (const auto& constant = op.graph().value(op.in(2)); constant.constant)
      attrs.value = op.numbers(2).at(0);
    else
      inputs.push_back(op.in(2));
  }
  op.output(op.add(fb::OpKind::pad, attrs, std::move(inputs)));
}

}  // namespace skiff::convert::tfl
