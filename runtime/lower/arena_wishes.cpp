#include <algorithm>
#include <optional>

#include "runtime/lower/arena_program.h"

// Which results could lie where an operand does: the planner grants what is legal.
namespace skiff {
namespace {

/// An extent as stored: of a shape that is not fixed an expression is negative.
std::int64_t stored_dim(const GraphValue& value, int axis) {
  return value.dims == nullptr ? value.info.shape[axis]
                               : value.dims->Get(static_cast<unsigned>(axis));
}

/// Bytes from the start of x to the slice when, whatever the symbols are, the slice is one run of
/// x's memory at that place.
std::optional<std::int64_t> contiguous_offset(const GraphValue& x, const GraphValue& y,
                                              const fb::SliceAttrs& attrs) {
  const auto* steps = attrs.steps();
  std::int64_t offset = 0, stride = static_cast<std::int64_t>(size_of(x.info.dtype));
  bool whole_inside = true;  // all axes further in are taken whole
  for (int axis = x.info.shape.rank() - 1; axis >= 0; --axis) {
    const auto i = static_cast<unsigned>(axis);
    const std::int64_t extent = stored_dim(y, axis), start = attrs.starts()->Get(i);
    if (extent == 0 || start < 0 || (stride < 0 && start != 0)) return std::nullopt;
    if (steps != nullptr && steps->size() > i && steps->Get(i) != 1 && extent != 1)
      return std::nullopt;
    if (!whole_inside && extent != 1) return std::nullopt;
    offset += start * stride;
    whole_inside = whole_inside && extent == stored_dim(x, axis);
    // From an axis of unknown extent on only index 0 has a known place.
    stride = stride < 0 || stored_dim(x, axis) < 0 ? -1 : stride * stored_dim(x, axis);
  }
  return offset;
}

}  // namespace

/// Where nothing else needs the operand its memory becomes the result's.
void ArenaProgram::wish_moves(Ids from, Ids to) {
  for (std::size_t i = 0; i < to.size(); ++i)
    if (std::count(from.begin(), from.end(), from[i]) == 1 &&
        same_bytes(graph_.value(from[i]), graph_.value(to[i]))) {
      in_place_.push_back({now(), from[i], to[i]});
      overwrites_.push_back({});
    }
}

/// What a loop carries changes between its turns: no other value of its body may lie there.
void ArenaProgram::lock(Ids values, bool locked) {
  locked_.resize(graph_.values.size());
  for (std::int32_t id : values) locked_[static_cast<std::size_t>(id)] = locked;
}

void ArenaProgram::wish_in_place(const Kernel& kernel, const GraphNode& node) {
  for (std::size_t o = 0; o < node.outputs.size(); ++o)
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::int32_t input = graph_.root(node.inputs[i]);
      // An operand that is read in two roles is still read after the first one's element.
      const auto same = [&](std::int32_t id) { return graph_.root(id) == input; };
      if (input < 0 || std::ranges::count_if(node.inputs, same) != 1) continue;
      if (kernel.can_overwrite(static_cast<int>(i), static_cast<int>(o)) &&
          same_bytes(graph_.value(input), graph_.value(node.outputs[o]))) {
        in_place_.push_back({now(), input, node.outputs[o]});
        overwrites_.push_back({static_cast<int>(i), static_cast<int>(o)});
      }
    }
}

void ArenaProgram::wish_view(std::int32_t base, std::int32_t value, std::int64_t offset,
                             std::int32_t elides) {
  base = graph_.root(base);
  value = graph_.root(value);
  if (locked(base) || locked(value)) return;
  views_.push_back({base, value, offset});
  view_steps_.push_back(elides);
}

void ArenaProgram::wish_views(std::int32_t index, const GraphNode& node) {
  switch (node.def->op) {
    case fb::OpKind::identity:
    case fb::OpKind::reshape:
      wish_view(node.inputs[0], node.outputs[0], 0, index);
      break;
    case fb::OpKind::slice: {
      const auto& attrs = *static_cast<const fb::SliceAttrs*>(node.attributes);
      const auto offset =
          contiguous_offset(graph_.value(node.inputs[0]), graph_.value(node.outputs[0]), attrs);
      if (offset) wish_view(node.inputs[0], node.outputs[0], *offset, index);
      break;
    }
    case fb::OpKind::concat:
      wish_concat(node);
      break;
    default:
      break;
  }
}

/// The kernel skips an operand that lies in the result already; the step itself stays.
void ArenaProgram::wish_concat(const GraphNode& node) {
  const auto axis = static_cast<const fb::AxisAttrs*>(node.attributes)->axis();
  for (int i = 0; i < static_cast<int>(axis); ++i)
    if (stored_dim(graph_.value(node.outputs[0]), i) != 1) return;
  std::int64_t offset = 0;
  for (std::int32_t input : node.inputs) {
    if (std::count(node.inputs.begin(), node.inputs.end(), input) == 1)
      wish_view(node.outputs[0], input, offset, -1);
    if (graph_.value(input).dims != nullptr) return;  // where the next one lies is not known
    offset += graph_.value(input).info.bytes();
  }
}

}  // namespace skiff
