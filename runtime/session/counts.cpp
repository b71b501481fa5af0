#include "runtime/session/counts.h"

#include <bit>

#include "runtime/core/error.h"

namespace skiff {

Counts::Counts(const Graph& graph, std::span<const Step> steps, std::pmr::memory_resource& memory)
    : graph_(graph),
      followers_(graph.symbols == nullptr ? 0 : graph.symbols->count(), &memory),
      interests_(followers_.size(), 0, &memory) {
  std::int32_t place = 0;
  for (const Step& step : steps) {
    const GraphNode& record = graph.nodes[static_cast<std::size_t>(step.node)];
    add(step.node, step.elided ? -1 : place, record.waits_for());
    if (record.sets >= 0) add(step.node, -1, Symbols::bit(record.sets));
    if (!step.elided) ++place;
  }
}

void Counts::add(std::int32_t node, std::int32_t step, Symbols::Set follows) {
  std::int32_t last = -1;  // symbol whose node comes last
  for (Symbols::Set rest = follows; rest != 0; rest &= rest - 1) {
    const auto symbol = static_cast<std::int32_t>(std::countr_zero(rest));
    const auto setter = [&](std::int32_t s) {
      return graph_.symbols->record(static_cast<std::size_t>(s)).node();
    };
    if (last < 0 || setter(symbol) > setter(last)) last = symbol;
  }
  if (last < 0) return;
  followers_[static_cast<std::size_t>(last)].push_back({node, step});
  interests_[static_cast<std::size_t>(last)] |= follows;
}

void Counts::follow(const Step& counted, std::int64_t count, Shapes& shapes, KernelMaker& maker,
                    std::span<Step> steps) {
  const GraphNode& node = graph_.nodes[static_cast<std::size_t>(counted.node)];
  const auto symbol = static_cast<std::size_t>(node.sets);
  const Symbols::Set bit = Symbols::bit(node.sets);
  if ((known_ & bit) == 0 || shapes.symbols()[symbol] != count) changed_ |= bit;
  if ((interests_[symbol] & changed_) == 0) return;
  known_ &= ~bit;
  try {
    shapes.set(node.sets, count);
  } catch (const Error& error) {
    fail(error.code(), "node '", node.name, "': ", error.what());
  }
  for (const Follower& follower : followers_[symbol]) {
    const GraphNode& record = graph_.nodes[static_cast<std::size_t>(follower.node)];
    shapes.update(record);
    if (follower.step < 0) continue;
    Step& step = steps[static_cast<std::size_t>(follower.step)];
    if (step.region != nullptr) maker.remake(step, record, shapes);
  }
  known_ |= bit;
}

}  // namespace skiff
