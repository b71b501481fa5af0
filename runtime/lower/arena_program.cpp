#include "runtime/lower/arena_program.h"

#include <algorithm>

namespace skiff {

ArenaProgram::ArenaProgram(const Graph& graph, const Binding& binding,
                           std::span<const Border> borders, Space space, bool shared_io,
                           std::pmr::memory_resource& memory)
    : graph_(graph),
      binding_(binding),
      space_(space),
      memory_(memory),
      values_(&memory),
      steps_(&memory),
      step_at_(&memory),
      in_place_(&memory),
      overwrites_(&memory),
      views_(&memory),
      view_steps_(&memory),
      locked_(&memory) {
  collect_values(borders, shared_io);
  collect_timeline(borders);
}

/// Pinned is what lies in no arena or in the other space's.
void ArenaProgram::collect_values(std::span<const Border> borders, bool shared_io) {
  for (const GraphValue& value : graph_.values)
    values_.push_back({.bytes = value.max_bytes, .pinned = true});
  const auto place = [&](std::int32_t id) {
    const GraphValue& value = graph_.value(id);
    const bool io = value.is_input || value.is_output;
    const bool elsewhere = space_ == Space::host ? io : is_shared(value, shared_io);
    values_[static_cast<std::size_t>(id)].pinned =
        elsewhere || value.buffer >= 0 || value.alias >= 0;
  };
  for (const Step& step : binding_.steps) {
    if (step.space != space_) continue;
    for (std::int32_t output : node_of(step).outputs) place(output);
    for (const GraphBody& body : node_of(step).bodies)
      for (std::int32_t input : body.inputs) place(input);
  }
  for (const Border& border : borders)
    if (border.to == space_) place(border.value);
}

/// The steps of this space and, between them, the copies into it and out of it.
void ArenaProgram::collect_timeline(std::span<const Border> borders) {
  auto border = borders.begin();
  const auto collect_borders = [&](std::size_t before) {
    for (; border != borders.end() && static_cast<std::size_t>(border->step) <= before; ++border)
      collect_border(*border);
  };
  for (std::size_t s = 0; s < binding_.steps.size();) {
    collect_borders(s);
    if (binding_.steps[s].space == space_) collect_step(static_cast<std::int32_t>(s));
    s = behind(s);
  }
  collect_borders(binding_.steps.size());
}

void ArenaProgram::collect_border(const Border& border) {
  const std::span<const std::int32_t> value(&border.value, 1), none;
  const bool into = border.to == space_;
  steps_.push_back({.reads = into ? none : value, .writes = into ? value : none, .scratch = 0});
  step_at_.push_back(-1);
}

void ArenaProgram::collect_step(std::int32_t index) {
  const Step& step = binding_.steps[static_cast<std::size_t>(index)];
  const GraphNode& node = node_of(step);
  if (!node.bodies.empty())
    return node.def->op == fb::OpKind::if_else ? collect_branches(node) : collect_loop(node);
  largest_workspace_ = std::max(largest_workspace_, step.workspace_bytes);
  wish_in_place(*step.kernel, node);
  wish_views(index, node);
  steps_.push_back({.reads = roots(node.inputs),
                    .writes = node.outputs,
                    .scratch = static_cast<std::int64_t>(step.workspace_bytes)});
  step_at_.push_back(index);
}

/// The step behind one and all that is nested in it; before lowering there is a step a node.
std::size_t ArenaProgram::behind(std::size_t s) const {
  const GraphNode& node = node_of(binding_.steps[s]);
  return node.bodies.empty() ? s + 1 : static_cast<std::size_t>(node.end);
}

void ArenaProgram::collect_body(const GraphBody& body) {
  for (auto s = static_cast<std::size_t>(body.begin); s < static_cast<std::size_t>(body.end);
       s = behind(s))
    collect_step(static_cast<std::int32_t>(s));
}

/// What happens between the steps of a node's bodies, as a step that is no kernel's.
void ArenaProgram::collect_moves(Ids reads, Ids writes) {
  steps_.push_back({.reads = reads, .writes = writes, .scratch = 0});
  step_at_.push_back(-1);
}

/// One branch runs, so the other's memory is free then: the planner sees them one after the
/// other. The results are there from the end of the first one on.
void ArenaProgram::collect_branches(const GraphNode& node) {
  collect_moves(roots(node.inputs.first(1)), {});
  for (const GraphBody& branch : node.bodies) {
    collect_body(branch);
    const Ids results = roots(branch.outputs);
    const bool first = &branch == node.bodies.data();
    if (first) wish_moves(results, node.outputs);
    collect_moves(results, first ? Ids(node.outputs) : Ids());
  }
}

/// Its body's steps stand once for all turns: what comes from outside stays until the last one.
void ArenaProgram::collect_loop(const GraphNode& node) {
  const GraphBody& body = node.bodies[0];
  const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
  const LoopForm form = loop_form(node.def->op, attrs, node.inputs.size(), node.outputs.size());
  const auto count = [](int n) { return static_cast<std::size_t>(n); };
  const Ids start = roots(node.inputs.subspan(count(form.first), count(form.carried)));
  const Ids carried = node.outputs.first(count(form.carried));
  wish_moves(start, carried);
  collect_moves(roots(node.inputs.first(count(form.first + form.carried))), node.outputs);
  const Ids slices = body.inputs.subspan(count(form.given + form.carried), count(form.scanned));
  const Ids outside = roots(node.inputs.subspan(count(form.first + form.carried)));
  collect_moves(outside, joined({body.inputs.first(count(form.given)), slices}));
  lock(carried, true);
  collect_body(body);
  lock(carried, false);
  collect_moves(joined({roots(body.outputs), node.outputs, outside}), {});
}

ArenaProgram::Ids ArenaProgram::joined(std::initializer_list<Ids> parts) {
  std::size_t count = 0;
  for (Ids part : parts) count += part.size();
  auto* ids = static_cast<std::int32_t*>(
      memory_.allocate((count + 1) * sizeof(std::int32_t), alignof(std::int32_t)));
  std::int32_t* at = ids;
  for (Ids part : parts) at = std::copy(part.begin(), part.end(), at);
  return {ids, count};
}

/// The values whose memory those are; themselves where nothing is nested.
ArenaProgram::Ids ArenaProgram::roots(Ids values) {
  if (!graph_.has_bodies) return values;
  auto* ids = const_cast<std::int32_t*>(joined({values}).data());
  std::transform(ids, ids + values.size(), ids, [&](auto id) { return graph_.root(id); });
  return {ids, values.size()};
}

}  // namespace skiff
