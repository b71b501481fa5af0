#pragma once

#include <memory_resource>
#include <optional>

#include "runtime/graph/graph.h"

// What load-time rewrites have in common.
namespace skiff {

/// Place in a vector of what goes by numbers that may be -1.
inline std::size_t at(std::int32_t i) noexcept { return static_cast<std::size_t>(i); }

/// Everything of a graph without bodies; `to` is empty. It points into what `from` points into.
void copy(const Graph& from, Graph& to);

/// True when both have the same shape for every choice of the symbols.
bool same_shape(const GraphValue& a, const GraphValue& b) noexcept;

/// Sets GraphValue::producer after nodes were exchanged.
void find_producers(Graph& graph);

/// Which nodes read the values of a graph.
class Readers {
 public:
  Readers(const Graph& graph, std::pmr::memory_resource& memory);

  /// The one node that reads a value, once, where nobody outside does; -1: there is none.
  std::int32_t only(std::int32_t value) const noexcept;

 private:
  const Graph& graph_;
  std::pmr::vector<std::int32_t> counts_, last_;  // per value
};

/// Puts the node make(group) in place of each group of nodes, where its last() stood.
/// group_of(n): the group that node n is part of; null: the node stays.
template <typename GroupOf, typename Make>
void join_nodes(Graph& graph, const GroupOf& group_of, const Make& make) {
  const auto count = static_cast<std::int32_t>(graph.nodes.size());
  for (std::int32_t n = 0; n < count; ++n)
    if (const auto* group = group_of(n); group != nullptr && group->last() == n)
      graph.nodes[at(n)] = make(*group);
  std::size_t kept = 0;
  for (std::int32_t n = 0; n < count; ++n)
    if (const auto* group = group_of(n); group == nullptr || group->last() == n)
      graph.nodes[kept++] = graph.nodes[static_cast<std::size_t>(n)];
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(kept), graph.nodes.end());
  find_producers(graph);
}

/// Rewrites `own`, a graph made of `graph` before; where that is empty and there is something to
/// rewrite, it becomes a copy of `graph`. Finder(graph, arguments...) has any() and group_of(n) for
/// join_nodes(); make(graph, finder, group) gives a node that may point into `memory`. Graphs with
/// bodies or variables stay as they are.
template <typename Finder, typename Make, typename... Arguments>
void rewrite(const Graph& graph, std::optional<Graph>& own, std::pmr::memory_resource& memory,
             const Make& make, Arguments&... arguments) {
  const Graph& from = own ? *own : graph;
  if (from.has_bodies || !from.variables.empty()) return;
  const Finder finder(from, arguments...);
  if (!finder.any()) return;
  if (!own) copy(graph, own.emplace(memory));
  join_nodes(
      *own, [&](std::int32_t n) { return finder.group_of(n); },
      [&](const auto& group) { return make(*own, finder, group); });
}

}  // namespace skiff
