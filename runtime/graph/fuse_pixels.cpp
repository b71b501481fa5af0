#include "runtime/graph/fuse_pixels.h"

#include <algorithm>
#include <new>

#include "runtime/graph/pixel_chain.h"

namespace skiff {
namespace {

struct Found {
  PixelChain chain;
  std::int32_t conv = -1;

  std::int32_t last() const noexcept { return conv; }
};

class Finder {
 public:
  Finder(const Graph& graph, bool narrow, std::pmr::memory_resource& scratch)
      : found_(&scratch), of_node_(graph.nodes.size(), -1, &scratch) {
    const Readers readers(graph, scratch);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const PixelChain chain = find_pixels(graph, readers, graph.nodes[n], scratch);
      if (chain.image < 0 || (!narrow && chain.pixels.to != DType::float32)) continue;
      const auto number = static_cast<std::int32_t>(found_.size());
      for (std::int32_t node : chain.used()) of_node_[at(node)] = number;
      of_node_[n] = number;
      found_.push_back({chain, static_cast<std::int32_t>(n)});
    }
  }

  bool any() const { return !found_.empty(); }
  const Found* group_of(std::int32_t n) const {
    return of_node_[at(n)] < 0 ? nullptr : &found_[at(of_node_[at(n)])];
  }

 private:
  std::pmr::vector<Found> found_;
  std::pmr::vector<std::int32_t> of_node_;  // which of found_ a node is part of; -1: none
};

struct Made {
  PixelConv attributes;
  std::int32_t inputs[4 + Pixels::kMaxSteps];
};

/// What it points to lives in `memory`.
GraphNode make_node(const Graph& graph, const Found& found, std::pmr::memory_resource& memory) {
  Made& made = *new (memory.allocate(sizeof(Made), alignof(Made))) Made{};
  std::size_t count = 0;
  const auto add = [&](std::int32_t value) {
    made.inputs[count] = value;
    return static_cast<int>(count++);
  };
  GraphNode node = graph.nodes[at(found.conv)];  // its name and result are the whole's
  Part& conv = made.attributes.parts[1];
  made.attributes.parts[0] = part_of(found.chain, memory, add);
  conv = {node.def, node.attributes, node.name, {Part::kPrevious, -1, -1, -1}};
  for (std::size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] >= 0) conv.operands[i] = add(node.inputs[i]);
  node.def = &pixel_conv_op();
  node.attributes = &made.attributes;
  node.inputs = {made.inputs, count};
  return node;
}

}  // namespace

void fuse_pixels(const Graph& graph, std::optional<Graph>& own, bool narrow,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  const auto make = [&](const Graph& from, const Finder&, const Found& found) {
    return make_node(from, found, memory);
  };
  rewrite<Finder>(graph, own, memory, make, narrow, scratch);
}

}  // namespace skiff
