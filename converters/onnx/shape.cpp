#include <algorithm>
#include <cstring>

#include "converters/frozen.h"
#include "converters/onnx/importer.h"
#include "converters/onnx/table.h"

// Operators that move elements and change shapes.
namespace skiff::onnx {
namespace {

void import_identity(Op& op) {
  op.check(op.inputs() == 1 && !op.node.input(0).empty(), "input 0 is missing");
  const Entry same = op.importer.entry(op.frame, op.node.input(0));
  if (op.wants(0)) op.importer.define(op.frame, op.node.output(0), same);
}

/// Reshape's target for a tensor of shape `from`: extents that are kept or left open filled in.
Ints resolve_target(const Op& op, Ints wanted, const Shape& from, bool zero_is_zero) {
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && !zero_is_zero) {
      op.check(static_cast<int>(i) < from.rank(), "shape keeps axis ", i, " of ", from);
      wanted[i] = from[static_cast<int>(i)];
    }
    if (wanted[i] == -1) {
      op.check(open < 0, "shape leaves two extents open");
      open = static_cast<std::ptrdiff_t>(i);
      continue;
    }
    const auto product = checked_mul(known, wanted[i]);
    op.check(wanted[i] >= 0 && product, "shape has the extent ", wanted[i]);
    known = *product;
  }
  if (open >= 0) {
    op.check(known > 0 && from.elements() % known == 0, from, " does not divide into ", known);
    wanted[static_cast<std::size_t>(open)] = from.elements() / known;
  }
  return wanted;
}

void import_reshape(Op& op) {
  op.ignore({"consumed_inputs"});
  const Ints wanted = op.version < 5 ? op.integers("shape") : op.known_integers(1, "shape");
  const bool zero_is_zero = op.flag("allowzero", false);
  const Shape &now = op.shape(0), &exported = op.exported(0);
  const Ints frozen = resolve_target(op, wanted, exported, zero_is_zero);
  Ints target = now == exported ? frozen : convert::reshape_grown(exported, now, frozen);
  if (to_shape(target).elements() != now.elements())
    target = resolve_target(op, wanted, now, zero_is_zero);
  else if (target != frozen)
    op.importer.note_guess();
  op.out(op.b.reshape(op.in(0), to_shape(target)));
}

void import_flatten(Op& op) {
  const std::int64_t given = op.integer("axis", 1);
  const int rank = op.rank(0);
  op.check(given >= -rank && given <= rank, "axis ", given, " is outside ", op.shape(0));
  const int axis = static_cast<int>(given < 0 ? given + rank : given);
  const Shape from = op.shape(0);
  op.out(op.b.reshape(op.in(0), {from.elements(0, axis), from.elements(axis, rank)}));
}

/// Axes as an attribute (before opset 13) or as input 1.
Ints axes_of(Op& op) {
  if (op.version < 13) return op.integers("axes");
  return op.has(1) ? op.known_integers(1, "axes") : Ints{};
}

void import_squeeze(Op& op) {
  Ints axes = op.axes(axes_of(op), op.rank(0));
  const bool given = op.version < 13 ? op.has_attr("axes") : op.has(1);
  if (!given)
    for (int axis = 0; axis < op.rank(0); ++axis)
      if (op.shape(0)[axis] == 1) axes.push_back(axis);
  for (std::int64_t axis : axes)
    op.check(op.shape(0)[static_cast<int>(axis)] == 1, "axis ", axis, " of ", op.shape(0),
             " is not 1");
  op.out(op.b.squeeze(op.in(0), axes));
}

void import_unsqueeze(Op& op) {
  const Ints given = axes_of(op);
  const int rank = op.rank(0) + static_cast<int>(std::min<std::size_t>(given.size(), 64));
  op.out(op.b.unsqueeze(op.in(0), op.axes(given, rank)));
}

void import_transpose(Op& op) {
  Ints perm = op.integers("perm");
  if (!op.has_attr("perm"))
    for (int axis = op.rank(0) - 1; axis >= 0; --axis) perm.push_back(axis);
  op.out(op.b.transpose(op.in(0), perm));
}

/// A piece of a frozen size beside one that grew: repeated as often.
ValueId grow_piece(Op& op, int i, int axis) {
  Shape wanted = op.shape(i);
  for (int other = 0; other < op.inputs(); ++other)
    for (int a = 0; a < wanted.rank() && op.rank(other) == wanted.rank(); ++a)
      if (a != axis && wanted[a] == 1 && op.exported(other)[a] == 1) wanted[a] = op.shape(other)[a];
  if (wanted == op.shape(i)) return op.in(i);
  op.importer.note_guess();
  return op.b.expand(op.in(i), wanted);
}

void import_concat(Op& op) {
  const std::int64_t axis = op.version < 4 ? op.integer("axis", 1) : op.integer("axis");
  std::vector<ValueId> pieces = op.all_inputs();
  for (int i = 0; i < op.inputs(); ++i)
    pieces[static_cast<std::size_t>(i)] = grow_piece(op, i, op.axis(axis, op.rank(0)));
  op.out(op.b.concat(pieces, op.axis(axis, op.rank(0))));
}

/// Sizes of the pieces: given, or as equal as possible with a smaller last one.
Ints split_sizes(Op& op, std::int64_t extent) {
  Ints sizes = op.integers("split");
  if (op.version == 1 || op.version >= 13)
    if (op.has(1)) sizes = op.known_integers(1, "split");
  if (!sizes.empty()) return sizes;
  const std::int64_t count = op.integer("num_outputs", op.outputs());
  op.check(count >= 1, "num_outputs is ", count);
  op.check(op.version >= 18 || extent % count == 0, "extent ", extent, " does not divide into ",
           count);
  std::int64_t rest = extent;
  const std::int64_t piece = ceil_div(extent, count);
  for (std::int64_t i = 0; i < count && i < op.outputs(); ++i) {
    sizes.push_back(std::min(piece, rest));
    rest -= sizes.back();
  }
  return sizes;
}

void import_split(Op& op) {
  const int axis = op.axis(op.integer("axis", 0), op.rank(0));
  const Ints sizes = split_sizes(op, op.shape(0)[axis]);
  op.check(sizes.size() >= static_cast<std::size_t>(op.outputs()), "split has ", sizes.size(),
           " entries, needs ", op.outputs());
  std::int64_t start = 0;
  for (int i = 0; i < op.outputs(); ++i) {
    const std::int64_t size = sizes[static_cast<std::size_t>(i)];
    op.check(size >= 0 && size <= op.shape(0)[axis] - start, "split does not add up to ",
             op.shape(0)[axis]);
    if (op.wants(i)) op.out(i, op.b.slice_axis(op.in(0), axis, start, size));
    start += size;
  }
}

struct Range {
  std::int64_t start, size, step;
};

/// numpy's start:end:step over an axis: negative counts from the end, then clamped.
Range slice_range(const Op& op, std::int64_t start, std::int64_t end, std::int64_t step,
                  std::int64_t extent) {
  op.check(step != 0, "a step is 0");
  const std::int64_t limit = std::int64_t{1} << 40;
  step = std::clamp(step, -limit, limit);
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  start = std::clamp<std::int64_t>(start, 0, step > 0 ? extent : extent - 1);
  end = step > 0 ? std::clamp<std::int64_t>(end, 0, extent)
                 : std::clamp<std::int64_t>(end, -1, extent - 1);
  const std::int64_t span = step > 0 ? end - start : start - end;
  const std::int64_t size = span <= 0 ? 0 : ceil_div(span, std::abs(step));
  return {size == 0 ? 0 : start, size, step};
}

void import_slice(Op& op) {
  const bool attributes = op.version < 10;
  const Ints from = attributes ? op.integers("starts") : op.known_integers(1, "starts");
  const Ints to = attributes ? op.integers("ends") : op.known_integers(2, "ends");
  const bool has_axes = attributes ? op.has_attr("axes") : op.has(3);
  Ints axes;
  if (has_axes) axes = attributes ? op.integers("axes") : op.known_integers(3, "axes");
  Ints by(from.size(), 1);
  if (!attributes && op.has(4)) by = op.known_integers(4, "steps");
  if (!has_axes)
    for (std::size_t i = 0; i < from.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  op.check(to.size() == from.size() && axes.size() == from.size() && by.size() == from.size(),
           "starts, ends, axes and steps differ in length");
  op.axes(axes, op.rank(0));
  Ints starts(static_cast<std::size_t>(op.rank(0)), 0), sizes = to_ints(op.shape(0)),
                                                        steps(starts.size(), 1);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto axis = static_cast<std::size_t>(op.axis(axes[i], op.rank(0)));
    const std::int64_t exported = op.exported(0)[static_cast<int>(axis)];
    Range range = slice_range(op, from[i], to[i], by[i], exported);
    // What was the whole axis stays the whole axis; else the ends count from where they did.
    const bool whole = range.start == 0 && range.step == 1 && range.size == exported;
    if (whole && sizes[axis] != exported) op.importer.note_guess();
    range = whole ? Range{0, sizes[axis], 1} : slice_range(op, from[i], to[i], by[i], sizes[axis]);
    starts[axis] = range.start;
    sizes[axis] = range.size;
    steps[axis] = range.step;
  }
  op.out(op.b.slice(op.in(0), starts, sizes, steps));
}

fb::PadMode pad_mode(Op& op) {
  const std::string mode = op.text("mode", "constant");
  if (mode == "constant") return fb::PadMode::constant;
  if (mode == "reflect") return fb::PadMode::reflect;
  if (mode == "edge") return fb::PadMode::edge;
  op.check(mode == "wrap", "mode is '", mode, "'");
  return fb::PadMode::wrap;
}

void import_pad(Op& op) {
  const fb::PadMode mode = pad_mode(op);
  const auto rank = static_cast<std::size_t>(op.rank(0));
  Ints given = op.version >= 11 ? op.known_integers(1, "pads")
                                : op.integers(op.version == 1 ? "paddings" : "pads");
  double value = op.version < 11 ? op.number("value", 0) : 0;
  ValueId value_input = op.version >= 11 ? op.in_or_absent(2) : kAbsent;
  if (value_input != kAbsent && op.b.known(value_input)) {
    value = op.known_number(2, "constant_value");
    value_input = kAbsent;
  }
  Ints axes;
  if (op.version >= 18 && op.has(3)) {
    for (std::int64_t axis : op.known_integers(3, "axes"))
      axes.push_back(op.axis(axis, op.rank(0)));
  } else {
    for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  }
  op.check(given.size() == 2 * axes.size(), "pads has ", given.size(), " entries, needs ",
           2 * axes.size());
  for (std::int64_t entry : given)
    op.check(std::abs(entry / 2) < (std::int64_t{1} << 40), "pads has the entry ", entry);
  Ints pads(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    pads[static_cast<std::size_t>(axes[i])] = given[i];
    pads[static_cast<std::size_t>(axes[i]) + rank] = given[i + axes.size()];
  }
  if (value_input != kAbsent) value_input = op.b.reshape(value_input, Shape());
  op.out(op.b.pad(op.in(0), pads, mode, value, value_input));
}

Shape broadcast(const Op& op, const Shape& a, const Shape& b) {
  Shape result;
  const int rank = std::max(a.rank(), b.rank());
  for (int axis = 0; axis < rank; ++axis) {
    const int ia = axis - (rank - a.rank()), ib = axis - (rank - b.rank());
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    op.check(ea == eb || ea == 1 || eb == 1, a, " does not broadcast to ", b);
    result.push_back(ea == 1 ? eb : ea);
  }
  return result;
}

void import_expand(Op& op) {
  const Shape wanted = to_shape(op.known_integers(1, "shape"));
  op.out(op.b.expand(op.in(0), broadcast(op, op.shape(0), wanted)));
}

void import_tile(Op& op) {
  Ints repeats(static_cast<std::size_t>(op.rank(0)), 1);
  if (op.version >= 6) {
    repeats = op.known_integers(1, "repeats");
  } else {
    const auto axis = static_cast<std::size_t>(op.axis(op.known_integer(2, "axis"), op.rank(0)));
    repeats[axis] = op.known_integer(1, "tiles");
  }
  fb::ShapeAttrsT attrs;
  attrs.shape = repeats;
  op.out(op.b.add(fb::OpKind::tile, attrs, {op.in(0)}));
}

void import_shape(Op& op) {
  const std::int64_t rank = op.rank(0);
  std::int64_t start = op.integer("start", 0), end = op.integer("end", rank);
  start = std::clamp(start < 0 ? start + rank : start, std::int64_t{0}, rank);
  end = std::clamp(end < 0 ? end + rank : end, start, rank);
  const Ints extents(op.shape(0).begin() + start, op.shape(0).begin() + end);
  op.out(op.b.from_integers(DType::int64, {end - start}, extents));
}

void import_size(Op& op) {
  const std::int64_t count = op.shape(0).elements();
  op.out(op.b.from_integers(DType::int64, {}, std::span(&count, 1)));
}

template <fb::OpKind kind>
void import_blocks(Op& op) {
  op.check(op.rank(0) == 4, "the input has the shape ", op.shape(0), ", needs rank 4");
  fb::BlockAttrsT attrs;
  attrs.block_size = op.integer("blocksize");
  const std::string mode = op.text("mode", "DCR");
  op.check(mode == "DCR" || mode == "CRD", "mode is '", mode, "', must be DCR or CRD");
  attrs.crd = mode == "CRD";
  op.out(op.b.channels_first(op.b.add(kind, attrs, {op.b.channels_last(op.in(0))})));
}

/// The middle is kept: what is cut or padded is shared by both ends, the odd one goes to the end.
void import_center_crop_pad(Op& op) {
  Ints axes = op.integers("axes");
  const Ints wanted = op.known_integers(1, "shape");
  if (!op.has_attr("axes"))
    for (int axis = 0; axis < op.rank(0); ++axis) axes.push_back(axis);
  op.check(axes.size() == wanted.size(), "shape has ", wanted.size(), " entries, needs ",
           axes.size());
  const auto rank = static_cast<std::size_t>(op.rank(0));
  Ints pads(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = op.axis(axes[i], op.rank(0));
    const std::int64_t extent = op.shape(0)[axis];
    op.check(wanted[i] >= 0 && wanted[i] < (std::int64_t{1} << 40), "shape has ", wanted[i]);
    const std::int64_t missing = wanted[i] - extent;
    const std::int64_t begin = missing >= 0 ? missing / 2 : -(-missing / 2);
    pads[static_cast<std::size_t>(axis)] = begin;
    pads[static_cast<std::size_t>(axis) + rank] = missing - begin;
  }
  op.out(op.b.pad(op.in(0), pads, fb::PadMode::constant, 0));
}

void import_trilu(Op& op) {
  fb::TriluAttrsT attrs;
  attrs.upper = op.flag("upper", true);
  attrs.k = op.has(1) ? op.known_integer(1, "k") : 0;
  op.out(op.b.add(fb::OpKind::trilu, attrs, {op.in(0)}));
}

constexpr Adapter kAdapters[] = {
    {"CenterCropPad", {18}, import_center_crop_pad},
    {"Concat", {1, 4, 11, 13}, import_concat},
    {"DepthToSpace", {1, 11, 13}, import_blocks<fb::OpKind::depth_to_space>},
    {"Expand", {8, 13}, import_expand},
    {"Flatten", {1, 9, 11, 13, 21, 23, 24, 25}, import_flatten},
    {"Identity", {1, 13, 14, 16, 19, 21, 23, 24, 25}, import_identity},
    {"Pad", {1, 2, 11, 13, 18, 19, 21, 23, 24, 25}, import_pad},
    {"Reshape", {1, 5, 13, 14, 19, 21, 23, 24, 25}, import_reshape},
    {"Shape", {1, 13, 15, 19, 21, 23, 24, 25}, import_shape},
    {"Size", {1, 13, 19, 21, 23, 24, 25}, import_size},
    {"Slice", {1, 10, 11, 13}, import_slice},
    {"SpaceToDepth", {1, 13}, import_blocks<fb::OpKind::space_to_depth>},
    {"Split", {1, 2, 11, 13, 18}, import_split},
    {"Squeeze", {1, 11, 13, 21, 23, 24, 25}, import_squeeze},
    {"Tile", {1, 6, 13}, import_tile},
    {"Transpose", {1, 13, 21, 23, 24, 25}, import_transpose},
    {"Trilu", {14}, import_trilu},
    {"Unsqueeze", {1, 11, 13, 21, 23, 24, 25}, import_unsqueeze},
};

}  // namespace

std::span<const Adapter> shape_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
