#include "runtime/lower.h"

#include <algorithm>
#include <optional>

#include "runtime/core/error.h"
#include "runtime/core/memory.h"
#include "runtime/plan/lifetimes.h"
#include "runtime/plan/solve.h"

namespace skiff {
namespace {

constexpr std::int64_t kAlignment = static_cast<std::int64_t>(Block::kAlignment);

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

/// Plans the arena of one space.
class Lowering {
 public:
  Lowering(const Graph& graph, Binding& binding, std::span<const Border> borders, Space space,
           bool shared_io, std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch)
      : graph_(graph),
        binding_(binding),
        borders_(borders),
        space_(space),
        shared_io_(shared_io),
        memory_(memory),
        scratch_(scratch),
        pool_(&scratch),
        values_(&pool_),
        steps_(&pool_),
        step_at_(&pool_),
        in_place_(&pool_),
        operands_(&pool_),
        views_(&pool_),
        view_steps_(&pool_),
        locked_(&pool_),
        layout_(memory) {}

  ArenaLayout run() {
    collect_values();
    collect_timeline();
    solve();
    return std::move(layout_);
  }

 private:
  using Ids = std::span<const std::int32_t>;

  /// Pinned is what lies in no arena or in the other space's.
  void collect_values() {
    for (const GraphValue& value : graph_.values)
      values_.push_back({.bytes = value.max_bytes, .pinned = true});
    const auto place = [&](std::int32_t id) {
      const GraphValue& value = graph_.value(id);
      const bool io = value.is_input || value.is_output;
      const bool elsewhere = space_ == Space::host ? io : is_shared(value, shared_io_);
      values_[static_cast<std::size_t>(id)].pinned =
          elsewhere || value.buffer >= 0 || value.alias >= 0;
    };
    for (const Step& step : binding_.steps) {
      if (step.space != space_) continue;
      for (std::int32_t output : node_of(step).outputs) place(output);
      for (const GraphBody& body : node_of(step).bodies)
        for (std::int32_t input : body.inputs) place(input);
    }
    for (const Border& border : borders_)
      if (border.to == space_) place(border.value);
  }

  const GraphNode& node_of(const Step& step) const {
    return graph_.nodes[static_cast<std::size_t>(step.node)];
  }

  /// The steps of this space and, between them, the copies into it and out of it.
  void collect_timeline() {
    auto border = borders_.begin();
    const auto collect_borders = [&](std::size_t before) {
      for (; border != borders_.end() && static_cast<std::size_t>(border->step) <= before; ++border)
        collect_border(*border);
    };
    for (std::size_t s = 0; s < binding_.steps.size();) {
      collect_borders(s);
      if (binding_.steps[s].space == space_) collect_step(static_cast<std::int32_t>(s));
      s = behind(s);
    }
    collect_borders(binding_.steps.size());
  }

  void collect_border(const Border& border) {
    const std::span<const std::int32_t> value(&border.value, 1), none;
    const bool into = border.to == space_;
    steps_.push_back({.reads = into ? none : value, .writes = into ? value : none, .scratch = 0});
    step_at_.push_back(-1);
  }

  void collect_step(std::int32_t index) {
    const Step& step = binding_.steps[static_cast<std::size_t>(index)];
    const GraphNode& node = node_of(step);
    if (!node.bodies.empty()) return collect_nested(node);
    layout_.largest_workspace = std::max(layout_.largest_workspace, step.workspace_bytes);
    wish_in_place(*step.kernel, node);
    wish_views(index, node);
    steps_.push_back({.reads = roots(node.inputs),
                      .writes = node.outputs,
                      .scratch = static_cast<std::int64_t>(step.workspace_bytes)});
    step_at_.push_back(index);
  }

  /// The step behind one and all that is nested in it; before lowering there is a step a node.
  std::size_t behind(std::size_t s) const {
    const GraphNode& node = node_of(binding_.steps[s]);
    return node.bodies.empty() ? s + 1 : static_cast<std::size_t>(node.end);
  }

  void collect_body(const GraphBody& body) {
    for (auto s = static_cast<std::size_t>(body.begin); s < static_cast<std::size_t>(body.end);
         s = behind(s))
      collect_step(static_cast<std::int32_t>(s));
  }

  /// What happens between the steps of a node's bodies, as a step that is no kernel's.
  void collect_moves(Ids reads, Ids writes) {
    steps_.push_back({.reads = reads, .writes = writes, .scratch = 0});
    step_at_.push_back(-1);
  }

  void collect_nested(const GraphNode& node) {
    return node.def->op == fb::OpKind::if_else ? collect_branches(node) : collect_loop(node);
  }

  /// One branch runs, so the other's memory is free then: the planner sees them one after the
  /// other. The results are there from the end of the first one on.
  void collect_branches(const GraphNode& node) {
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
  void collect_loop(const GraphNode& node) {
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

  /// Where nothing else needs the operand its memory becomes the result's.
  void wish_moves(Ids from, Ids to) {
    for (std::size_t i = 0; i < to.size(); ++i)
      if (std::count(from.begin(), from.end(), from[i]) == 1 &&
          same_bytes(graph_.value(from[i]), graph_.value(to[i]))) {
        in_place_.push_back({now(), from[i], to[i]});
        operands_.push_back({});
      }
  }

  /// What a loop carries changes between its turns: no other value of its body may lie there.
  void lock(Ids values, bool locked) {
    locked_.resize(graph_.values.size());
    for (std::int32_t id : values) locked_[static_cast<std::size_t>(id)] = locked;
  }
  bool locked(std::int32_t id) const {
    return id >= 0 && !locked_.empty() && locked_[static_cast<std::size_t>(id)];
  }

  Ids joined(std::initializer_list<Ids> parts) {
    std::size_t count = 0;
    for (Ids part : parts) count += part.size();
    auto* ids = static_cast<std::int32_t*>(
        pool_.allocate((count + 1) * sizeof(std::int32_t), alignof(std::int32_t)));
    std::int32_t* at = ids;
    for (Ids part : parts) at = std::copy(part.begin(), part.end(), at);
    return {ids, count};
  }
  /// The values whose memory those are; themselves where nothing is nested.
  Ids roots(Ids values) {
    if (!graph_.has_bodies) return values;
    auto* ids = const_cast<std::int32_t*>(joined({values}).data());
    std::transform(ids, ids + values.size(), ids, [&](auto id) { return graph_.root(id); });
    return {ids, values.size()};
  }

  /// The place in the timeline of the step that is collected next.
  std::int32_t now() const { return static_cast<std::int32_t>(steps_.size()); }

  void wish_in_place(const Kernel& kernel, const GraphNode& node) {
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const std::int32_t input = graph_.root(node.inputs[i]);
        // An operand that is read in two roles is still read after the first one's element.
        const auto same = [&](std::int32_t id) { return graph_.root(id) == input; };
        if (input < 0 || std::ranges::count_if(node.inputs, same) != 1) continue;
        if (kernel.can_overwrite(static_cast<int>(i), static_cast<int>(o)) &&
            same_bytes(graph_.value(input), graph_.value(node.outputs[o]))) {
          in_place_.push_back({now(), input, node.outputs[o]});
          operands_.push_back({static_cast<int>(i), static_cast<int>(o)});
        }
      }
  }

  void wish_view(std::int32_t base, std::int32_t value, std::int64_t offset, std::int32_t elides) {
    base = graph_.root(base);
    value = graph_.root(value);
    if (locked(base) || locked(value)) return;
    views_.push_back({base, value, offset});
    view_steps_.push_back(elides);
  }

  void wish_views(std::int32_t index, const GraphNode& node) {
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
  void wish_concat(const GraphNode& node) {
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

  void solve() {
    const plan::Lifetimes lifetimes = plan::lifetimes({.values = values_,
                                                       .steps = steps_,
                                                       .in_place = in_place_,
                                                       .views = views_,
                                                       .alignment = kAlignment},
                                                      pool_);
    for (std::size_t i = 0; i < views_.size(); ++i)
      if (view_steps_[i] >= 0 && lifetimes.views[i] == plan::Alias::granted)
        binding_.steps[static_cast<std::size_t>(view_steps_[i])].elided = true;
    if (graph_.symbols != nullptr) note_overwrites(lifetimes);
    const plan::Solution solution =
        plan::solve({.buffers = lifetimes.buffers, .alignment = kAlignment}, {}, pool_, scratch_);
    layout_.bytes = static_cast<std::uint64_t>(solution.height);
    layout_.lower_bound = static_cast<std::uint64_t>(solution.lower_bound);
    layout_.lower_bound_plain = static_cast<std::uint64_t>(lifetimes.lower_bound_unaliased);
    layout_.certificate = solution.certificate;
    const auto offset_of = [&](std::int32_t buffer, std::int64_t inside) {
      return buffer < 0 ? -1 : solution.offsets[static_cast<std::size_t>(buffer)] + inside;
    };
    layout_.value_offset.reserve(lifetimes.values.size());
    for (const plan::Place& place : lifetimes.values)
      layout_.value_offset.push_back(offset_of(place.buffer, place.offset));
    layout_.workspace_offset.assign(binding_.steps.size(), -1);
    for (std::size_t t = 0; t < step_at_.size(); ++t)
      if (step_at_[t] >= 0)
        layout_.workspace_offset[static_cast<std::size_t>(step_at_[t])] =
            offset_of(lifetimes.scratch[t], 0);
  }

  /// What was granted at the largest shapes is asked of every later kernel too. The wishes of a
  /// step follow each other.
  void note_overwrites(const plan::Lifetimes& lifetimes) {
    for (std::size_t end = 0, begin = 0; begin < in_place_.size(); begin = end) {
      const std::int32_t time = in_place_[begin].step;
      while (end < in_place_.size() && in_place_[end].step == time) ++end;
      if (step_at_[static_cast<std::size_t>(time)] < 0) continue;  // moves need no promise
      const auto step = static_cast<std::size_t>(step_at_[static_cast<std::size_t>(time)]);
      auto* notes = static_cast<Overwrite*>(
          memory_.allocate((end - begin) * sizeof(Overwrite), alignof(Overwrite)));
      std::size_t count = 0;
      for (std::size_t i = begin; i < end; ++i)
        if (lifetimes.in_place[i] == plan::Alias::granted) notes[count++] = operands_[i];
      binding_.steps[step].overwrites = {notes, count};
    }
  }

  const Graph& graph_;
  Binding& binding_;
  std::span<const Border> borders_;
  Space space_;
  bool shared_io_;
  std::pmr::memory_resource& memory_;
  std::pmr::memory_resource& scratch_;
  std::pmr::monotonic_buffer_resource pool_;
  std::pmr::vector<plan::ValueInfo> values_;
  std::pmr::vector<plan::StepInfo> steps_;
  std::pmr::vector<std::int32_t> step_at_;  // of an entry of steps_; -1: a copy
  std::pmr::vector<plan::InPlace> in_place_;
  std::pmr::vector<Overwrite> operands_;  // of the wishes in in_place_
  std::pmr::vector<plan::View> views_;
  std::pmr::vector<std::int32_t> view_steps_;
  std::pmr::vector<bool> locked_;  // by value; empty: none
  ArenaLayout layout_;
};

void place_io(const Graph& graph, Layout& layout) {
  layout.io_offset.assign(graph.values.size(), -1);
  const auto place = [&](std::int32_t id) {
    std::int64_t& offset = layout.io_offset[static_cast<std::size_t>(id)];
    if (offset >= 0 || graph.value(id).buffer >= 0) return;
    offset = static_cast<std::int64_t>(layout.io_bytes);
    layout.io_bytes += static_cast<std::uint64_t>(round_up(graph.value(id).max_bytes, kAlignment));
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
  const auto arena = [&](Space space) {
    return Lowering(graph, binding, layout.borders, space, shared_io, memory, scratch).run();
  };
  layout.host = arena(Space::host);
  const auto on_device = [](const Step& step) { return step.space == Space::device; };
  if (std::ranges::any_of(binding.steps, on_device)) layout.device = arena(Space::device);
  return layout;
}

}  // namespace skiff
