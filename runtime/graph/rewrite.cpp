#include "runtime/graph/rewrite.h"

#include <algorithm>

namespace skiff {

void copy(const Graph& from, Graph& to) {
  to.name = from.name;
  to.values.assign(from.values.begin(), from.values.end());
  to.nodes.assign(from.nodes.begin(), from.nodes.end());
  to.states.assign(from.states.begin(), from.states.end());
  to.variables.assign(from.variables.begin(), from.variables.end());
  to.inputs = from.inputs;
  to.outputs = from.outputs;
  to.symbols = from.symbols;
}

bool same_shape(const GraphValue& a, const GraphValue& b) noexcept {
  if (a.info.shape != b.info.shape || (a.dims == nullptr) != (b.dims == nullptr)) return false;
  return a.dims == nullptr ||
         std::equal(a.dims->begin(), a.dims->end(), b.dims->begin(), b.dims->end());
}

void find_producers(Graph& graph) {
  for (GraphValue& value : graph.values) value.producer = -1;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (std::int32_t output : graph.nodes[n].outputs)
      graph.values[static_cast<std::size_t>(output)].producer = static_cast<std::int32_t>(n);
}

Readers::Readers(const Graph& graph, std::pmr::memory_resource& memory)
    : graph_(graph),
      counts_(graph.values.size(), 0, &memory),
      last_(graph.values.size(), -1, &memory) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (std::int32_t id : graph.nodes[n].inputs) {
      if (id < 0) continue;
      ++counts_[static_cast<std::size_t>(id)];
      last_[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(n);
    }
}

std::int32_t Readers::only(std::int32_t value) const noexcept {
  const auto i = static_cast<std::size_t>(value);
  return counts_[i] == 1 && !graph_.value(value).is_output ? last_[i] : -1;
}

}  // namespace skiff
