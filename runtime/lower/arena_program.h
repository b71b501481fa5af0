#pragma once

#include <memory_resource>
#include <span>
#include <vector>

#include "runtime/lower/bind.h"
#include "runtime/lower/borders.h"
#include "runtime/plan/lifetimes.h"

namespace skiff {

constexpr std::int64_t kArenaAlignment = static_cast<std::int64_t>(Block::kAlignment);

/// What the planner is told of one memory space: its values, the steps that read and write them,
/// and which of them could share memory.
class ArenaProgram {
 public:
  /// Lives in `memory`, which has to last as long.
  ArenaProgram(const Graph& graph, const Binding& binding, std::span<const Border> borders,
               Space space, bool shared_io, std::pmr::memory_resource& memory);

  plan::Program program() const noexcept {
    return {.values = values_,
            .steps = steps_,
            .in_place = in_place_,
            .views = views_,
            .alignment = kArenaAlignment};
  }
  /// The step at each place of the timeline; -1: a copy, or what happens between nested steps.
  std::span<const std::int32_t> step_at() const noexcept { return step_at_; }
  /// The operand and result of each wish in program().in_place.
  std::span<const Overwrite> overwrites() const noexcept { return overwrites_; }
  /// The step that has nothing to do when a wish in program().views is granted; -1: none.
  std::span<const std::int32_t> view_steps() const noexcept { return view_steps_; }
  std::uint64_t largest_workspace() const noexcept { return largest_workspace_; }

 private:
  using Ids = std::span<const std::int32_t>;

  void collect_values(std::span<const Border> borders, bool shared_io);
  void collect_timeline(std::span<const Border> borders);
  void collect_border(const Border& border);
  void collect_step(std::int32_t index);

  // Nested graphs.
  std::size_t behind(std::size_t s) const;
  void collect_body(const GraphBody& body);
  void collect_moves(Ids reads, Ids writes);
  void collect_branches(const GraphNode& node);
  void collect_loop(const GraphNode& node);
  Ids joined(std::initializer_list<Ids> parts);
  Ids roots(Ids values);

  // What could share memory.
  void wish_moves(Ids from, Ids to);
  void wish_in_place(const Kernel& kernel, const GraphNode& node);
  void wish_view(std::int32_t base, std::int32_t value, std::int64_t offset, std::int32_t elides);
  void wish_views(std::int32_t index, const GraphNode& node);
  void wish_concat(const GraphNode& node);
  void lock(Ids values, bool locked);
  bool locked(std::int32_t id) const {
    return id >= 0 && !locked_.empty() && locked_[static_cast<std::size_t>(id)];
  }

  const GraphNode& node_of(const Step& step) const {
    return graph_.nodes[static_cast<std::size_t>(step.node)];
  }
  /// The place in the timeline of the step that is collected next.
  std::int32_t now() const { return static_cast<std::int32_t>(steps_.size()); }

  const Graph& graph_;
  const Binding& binding_;
  Space space_;
  std::pmr::memory_resource& memory_;
  std::pmr::vector<plan::ValueInfo> values_;
  std::pmr::vector<plan::StepInfo> steps_;
  std::pmr::vector<std::int32_t> step_at_;
  std::pmr::vector<plan::InPlace> in_place_;
  std::pmr::vector<Overwrite> overwrites_;
  std::pmr::vector<plan::View> views_;
  std::pmr::vector<std::int32_t> view_steps_;
  std::pmr::vector<std::uint8_t> locked_;  // by value; empty: none
  std::uint64_t largest_workspace_ = 0;
};

}  // namespace skiff
