#include "runtime/lower/borders.h"

namespace skiff {
namespace {

/// Where values are known to lie while the steps are walked.
class Presence {
 public:
  Presence(const Graph& graph, bool shared_io, std::pmr::memory_resource& memory)
      : at_(graph.values.size(), 0, &memory) {
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const GraphValue& value = graph.values[i];
      if (value.is_input) at_[i] |= bit(Space::host);
      if (value.buffer >= 0 || is_shared(value, shared_io)) at_[i] = kBoth;
    }
    for (const GraphVariable& variable : graph.variables) add(variable.value, Space::host);
  }
  bool has(std::int32_t value, Space space) const noexcept {
    return (at_[static_cast<std::size_t>(value)] & bit(space)) != 0;
  }
  void add(std::int32_t value, Space space) noexcept {
    at_[static_cast<std::size_t>(value)] |= bit(space);
  }

 private:
  static constexpr std::uint8_t kBoth = 3;
  static constexpr std::uint8_t bit(Space space) noexcept { return space == Space::host ? 1 : 2; }
  std::pmr::vector<std::uint8_t> at_;
};

}  // namespace

std::pmr::vector<Border> find_borders(const Graph& graph, const Binding& binding, bool shared_io,
                                      std::pmr::memory_resource& memory) {
  std::pmr::vector<Border> borders(&memory);
  Presence present(graph, shared_io, memory);
  const auto need = [&](std::int32_t value, std::int32_t step, Space space) {
    if (value < 0 || present.has(value, space)) return;
    borders.push_back({value, step, space});
    present.add(value, space);
  };
  std::int32_t step = 0;     // of the main graph; what its nested graphs read is copied before it
  std::int32_t stretch = 0;  // the first of the steps in a row that run where this one does
  for (std::size_t s = 0; s < binding.steps.size(); ++s) {
    const Space space = binding.steps[s].space;
    if (s > 0 && space != binding.steps[s - 1].space) stretch = static_cast<std::int32_t>(s);
    const GraphNode& node = graph.nodes[static_cast<std::size_t>(binding.steps[s].node)];
    if (!node.nested) step = static_cast<std::int32_t>(s);
    // A stretch of the host's gets all that it needs at once: one launch, one wait.
    const std::int32_t before = space == Space::host ? stretch : step;
    for (std::int32_t input : node.inputs) need(graph.root(input), before, space);
    for (const GraphBody& body : node.bodies)
      for (std::int32_t input : body.inputs) present.add(input, space);
    for (std::int32_t output : node.outputs) {
      present.add(output, space);
      if (graph.value(output).is_output) need(output, step + 1, Space::host);
    }
  }
  return borders;
}

}  // namespace skiff
