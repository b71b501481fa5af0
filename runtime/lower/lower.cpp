#include "runtime/lower/lower.h"

#include <algorithm>

#include "runtime/core/memory.h"
#include "runtime/lower/arena_program.h"
#include "runtime/plan/solve.h"

namespace skiff {
namespace {

/// Steps whose result lies in their operand already.
void elide_views(const ArenaProgram& arena, const plan::Lifetimes& lifetimes, Binding& binding) {
  for (std::size_t i = 0; i < lifetimes.views.size(); ++i)
    if (const std::int32_t step = arena.view_steps()[i];
        step >= 0 && lifetimes.views[i] == plan::Alias::granted)
      binding.steps[static_cast<std::size_t>(step)].elided = true;
}

/// What was granted at the largest shapes is asked of every later kernel too. The wishes of a step
/// follow each other.
void note_overwrites(const ArenaProgram& arena, const plan::Lifetimes& lifetimes, Binding& binding,
                     std::pmr::memory_resource& memory) {
  const std::span<const plan::InPlace> wishes = arena.program().in_place;
  for (std::size_t end = 0, begin = 0; begin < wishes.size(); begin = end) {
    const std::int32_t time = wishes[begin].step;
    while (end < wishes.size() && wishes[end].step == time) ++end;
    const std::int32_t step = arena.step_at()[static_cast<std::size_t>(time)];
    if (step < 0) continue;  // moves need no promise
    auto* notes = static_cast<Overwrite*>(
        memory.allocate((end - begin) * sizeof(Overwrite), alignof(Overwrite)));
    std::size_t count = 0;
    for (std::size_t i = begin; i < end; ++i)
      if (lifetimes.in_place[i] == plan::Alias::granted) notes[count++] = arena.overwrites()[i];
    binding.steps[static_cast<std::size_t>(step)].overwrites = {notes, count};
  }
}

/// The offsets of values and scratch that a solution gives them.
void place(const ArenaProgram& arena, const plan::Lifetimes& lifetimes,
           const plan::Solution& solution, ArenaLayout& layout) {
  const auto offset_of = [&](std::int32_t buffer, std::int64_t inside) {
    return buffer < 0 ? -1 : solution.offsets[static_cast<std::size_t>(buffer)] + inside;
  };
  layout.value_offset.reserve(lifetimes.values.size());
  for (const plan::Place& value : lifetimes.values)
    layout.value_offset.push_back(offset_of(value.buffer, value.offset));
  for (std::size_t t = 0; t < arena.step_at().size(); ++t)
    if (const std::int32_t step = arena.step_at()[t]; step >= 0)
      layout.workspace_offset[static_cast<std::size_t>(step)] = offset_of(lifetimes.scratch[t], 0);
}

/// Plans the arena of one space.
void plan_arena(const Graph& graph, Binding& binding, std::span<const Border> borders, Space space,
                bool shared_io, ArenaLayout& layout, std::pmr::memory_resource& memory,
                std::pmr::memory_resource& scratch) {
  std::pmr::monotonic_buffer_resource pool(&scratch);
  const ArenaProgram arena(graph, binding, borders, space, shared_io, pool);
  const plan::Lifetimes lifetimes = plan::lifetimes(arena.program(), pool);
  elide_views(arena, lifetimes, binding);
  if (graph.symbols != nullptr) note_overwrites(arena, lifetimes, binding, memory);
  const plan::Solution solution =
      plan::solve({.buffers = lifetimes.buffers, .alignment = kArenaAlignment}, {}, pool, scratch);
  layout.bytes = static_cast<std::uint64_t>(solution.height);
  layout.largest_workspace = arena.largest_workspace();
  layout.lower_bound = static_cast<std::uint64_t>(solution.lower_bound);
  layout.lower_bound_plain = static_cast<std::uint64_t>(lifetimes.lower_bound_unaliased);
  layout.certificate = solution.certificate;
  layout.workspace_offset.assign(binding.steps.size(), -1);
  place(arena, lifetimes, solution, layout);
}

void place_io(const Graph& graph, Layout& layout) {
  layout.io_offset.assign(graph.values.size(), -1);
  const auto place = [&](std::int32_t id) {
    std::int64_t& offset = layout.io_offset[static_cast<std::size_t>(id)];
    if (offset >= 0 || graph.value(id).buffer >= 0) return;
    offset = static_cast<std::int64_t>(layout.io_bytes);
    layout.io_bytes +=
        static_cast<std::uint64_t>(round_up(graph.value(id).max_bytes, kArenaAlignment));
  };
  for (std::int32_t id : graph.inputs) place(id);
  for (std::int32_t id : graph.outputs) place(id);
  for (const GraphVariable& variable : graph.variables) place(variable.value);
}

}  // namespace

Layout lower(const Graph& graph, Binding& binding, bool shared_io,
             std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  Layout layout(memory);
  place_io(graph, layout);
  layout.borders = find_borders(graph, binding, shared_io, memory);
  const auto plan = [&](Space space, ArenaLayout& arena) {
    plan_arena(graph, binding, layout.borders, space, shared_io, arena, memory, scratch);
  };
  plan(Space::host, layout.host);
  const auto on_device = [](const Step& step) { return step.space == Space::device; };
  if (std::ranges::any_of(binding.steps, on_device)) plan(Space::device, layout.device);
  return layout;
}

}  // namespace skiff
