#include "runtime/graph/graph.h"

#include <algorithm>
#include <memory>

namespace skiff {

std::int64_t count_of(const GraphNode& node, const Symbols* symbols) noexcept {
  return node.sets < 0 ? -1 : symbols->values()[static_cast<std::size_t>(node.sets)];
}

NodeView view_of(const Graph& graph, const GraphNode& node, std::pmr::memory_resource& memory) {
  const std::size_t count = node.inputs.size();
  auto** operands = static_cast<const TensorInfo**>(
      memory.allocate((count + edges_of(node)) * sizeof(TensorInfo*) + 1, alignof(TensorInfo*)));
  for (std::size_t i = 0; i < count; ++i)
    operands[i] = node.inputs[i] < 0 ? nullptr : &graph.value(node.inputs[i]).info;
  std::span<const BodyView> bodies;
  if (!node.bodies.empty()) {
    auto* views = static_cast<BodyView*>(
        memory.allocate(node.bodies.size() * sizeof(BodyView), alignof(BodyView)));
    std::uninitialized_default_construct_n(views, node.bodies.size());
    bodies = view_bodies(node, views, operands + count,
                         [&](std::int32_t id) { return &graph.value(id).info; });
  }
  return {.op = node.def->op,
          .version = 1,
          .attributes = node.attributes,
          .inputs = {operands, count},
          .name = node.name,
          .dims = graph.symbols,
          .count = count_of(node, graph.symbols),
          .bodies = bodies};
}

std::int32_t Graph::symbol_of(std::int32_t id, int axis) const noexcept {
  const auto* dims = value(id).dims;
  return dims == nullptr ? -1 : symbols->symbol_of(dims->Get(static_cast<unsigned>(axis)));
}

bool same_bytes(const GraphValue& a, const GraphValue& b) noexcept {
  if (a.dims == nullptr && b.dims == nullptr) return a.info.bytes() == b.info.bytes();
  if (a.dims == nullptr || b.dims == nullptr) return false;
  return size_of(a.info.dtype) == size_of(b.info.dtype) &&
         std::equal(a.dims->begin(), a.dims->end(), b.dims->begin(), b.dims->end());
}

}  // namespace skiff
