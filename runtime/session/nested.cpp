#include <algorithm>
#include <cstring>

#include "runtime/session/impl.h"

// Nodes with nested graphs. Their steps stand behind the node's own and are walked from here; what
// passes between a body and its node is copied where the plan did not put both in one place.
namespace skiff {
namespace {

/// Where slice number `at` along an axis lies: `count` runs of `bytes`, `pitch` apart.
struct Slices {
  std::int64_t count = 0, bytes = 0, pitch = 0, offset = 0;

  Slices(const TensorInfo& whole, std::int64_t axis, std::int64_t at) {
    const Shape& shape = whole.shape;
    const int i = static_cast<int>(axis);
    count = shape.elements(0, i);
    bytes = shape.elements(i + 1, shape.rank()) * static_cast<std::int64_t>(size_of(whole.dtype));
    pitch = bytes * shape[i];
    offset = bytes * at;
  }
  /// Between the whole tensor and a dense slice.
  template <typename Copy>
  void each(const Copy& copy) const noexcept {
    if (bytes == 0) return;
    for (std::int64_t i = 0; i < count; ++i) copy(offset + i * pitch, i * bytes);
  }
};

}  // namespace

/// Steps that are views are gone by now.
void Session::Impl::number_steps() {
  if (!graph().has_bodies) {
    for (std::size_t s = 0; s < binding.steps.size(); ++s)
      binding.steps[s].shown = static_cast<std::uint32_t>(s);
    return;
  }
  for (std::size_t s = 0; s < binding.steps.size(); ++s) {
    Step& step = binding.steps[s];
    const GraphNode& node = graph_node(step);
    step.shown = static_cast<std::uint32_t>(shown.size());
    if (!node.nested) shown.push_back(static_cast<std::uint32_t>(s));
    std::size_t end = s + 1;
    for (std::size_t b = 0; b < node.bodies.size(); ++b) {
      while (end < binding.steps.size() && binding.steps[end].node < node.bodies[b].end) ++end;
      step.body_end[b] = static_cast<std::uint32_t>(end);
    }
  }
}

/// The one behind a step and all that is nested in it.
std::size_t Session::Impl::next_step(std::size_t i) const noexcept {
  const Step& step = binding.steps[i];
  const std::size_t bodies = graph_node(step).bodies.size();
  return bodies == 0 ? i + 1 : step.body_end[bodies - 1];
}

Status Session::Impl::run_body(std::size_t step, int body) noexcept {
  const Step& owner = binding.steps[step];
  const std::size_t begin = body == 0 ? step + 1 : owner.body_end[body - 1];
  for (std::size_t i = begin; i < owner.body_end[body]; i = next_step(i))
    if (const Status status = run_step(i); !status.ok()) return status;
  return {};
}

void Session::Impl::move_value(std::int32_t from, std::int32_t to) noexcept {
  const std::byte* source = address(from);
  std::byte* target = address(to);
  const auto bytes = static_cast<std::size_t>(shapes.info(to).bytes());
  if (source != target && bytes > 0) std::memcpy(target, source, bytes);
}

Status Session::Impl::run_branch(std::size_t i) noexcept {
  const Step& step = binding.steps[i];
  const GraphNode& node = graph_node(step);
  const int taken = *static_cast<const std::uint8_t*>(step.inputs[0]) != 0 ? 0 : 1;
  if (const Status status = run_body(i, taken); !status.ok()) return status;
  const GraphBody& branch = node.bodies[static_cast<std::size_t>(taken)];
  for (std::size_t o = 0; o < node.outputs.size(); ++o)
    move_value(branch.outputs[o], node.outputs[o]);
  return {};
}

Status Session::Impl::run_loop(std::size_t i) noexcept {
  const Step& step = binding.steps[i];
  const GraphNode& node = graph_node(step);
  const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
  const LoopForm form = loop_form(node.def->op, attrs, node.inputs.size(), node.outputs.size());
  const std::int64_t most = shapes.view(node).dim(attrs.max_trip_count());
  const bool loop = form.first > 0;
  const std::int64_t wanted = loop ? *static_cast<const std::int64_t*>(step.inputs[0]) : most;
  bool going = !loop || *static_cast<const std::uint8_t*>(step.inputs[1]) != 0;
  for (int k = 0; k < form.carried; ++k)
    move_value(node.inputs[static_cast<std::size_t>(form.first + k)],
               node.outputs[static_cast<std::size_t>(k)]);
  std::int64_t turn = 0;
  for (; turn < wanted && going; ++turn) {
    if (turn == most)
      return Status(ErrorCode::bad_value, "a loop is not done after the turns it was bounded to",
                    node.index);
    begin_turn(node, form, turn, most);
    if (const Status status = run_body(i, 0); !status.ok()) return status;
    if (loop)
      going = *reinterpret_cast<const std::uint8_t*>(address(node.bodies[0].outputs[0])) != 0;
    end_turn(node, form, turn, most);
  }
  if (form.collected > 0 && turn != most)
    return Status(ErrorCode::bad_value, "a loop collects fewer results than were planned",
                  node.index);
  return {};
}

/// Gives the body its number of the turn and condition, or its slices.
void Session::Impl::begin_turn(const GraphNode& node, const LoopForm& form, std::int64_t turn,
                               std::int64_t turns) noexcept {
  const GraphBody& body = node.bodies[0];
  if (form.given > 0) {
    std::memcpy(address(body.inputs[0]), &turn, sizeof turn);
    *address(body.inputs[1]) = std::byte{1};
  }
  const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
  for (int k = 0; k < form.scanned; ++k) {
    const std::int32_t whole = node.inputs[static_cast<std::size_t>(form.scanned_input(k))];
    const bool back = entry(attrs.scan_input_reverse(), k);
    const Slices slices(shapes.info(whole), entry(attrs.scan_input_axes(), k),
                        back ? turns - 1 - turn : turn);
    const std::byte* from = address(whole);
    std::byte* to = address(body.inputs[static_cast<std::size_t>(form.given + form.carried + k)]);
    slices.each([&](std::int64_t outer, std::int64_t inner) {
      std::memcpy(to + inner, from + outer, static_cast<std::size_t>(slices.bytes));
    });
  }
}

/// Stores what the turn gives. What is collected may be what was carried until now: it goes first.
void Session::Impl::end_turn(const GraphNode& node, const LoopForm& form, std::int64_t turn,
                             std::int64_t turns) noexcept {
  const GraphBody& body = node.bodies[0];
  const auto& attrs = *static_cast<const fb::LoopAttrs*>(node.attributes);
  const auto result = [&](int k) {
    return body.outputs[static_cast<std::size_t>(form.judged + k)];
  };
  for (int k = 0; k < form.collected; ++k) {
    const std::int32_t whole = node.outputs[static_cast<std::size_t>(form.carried + k)];
    const bool back = entry(attrs.scan_output_reverse(), k);
    const Slices slices(shapes.info(whole), entry(attrs.scan_output_axes(), k),
                        back ? turns - 1 - turn : turn);
    const std::byte* from = address(result(form.carried + k));
    std::byte* to = address(whole);
    slices.each([&](std::int64_t outer, std::int64_t inner) {
      std::memcpy(to + outer, from + inner, static_cast<std::size_t>(slices.bytes));
    });
  }
  for (int k = 0; k < form.carried; ++k)
    move_value(result(k), node.outputs[static_cast<std::size_t>(k)]);
}

}  // namespace skiff
