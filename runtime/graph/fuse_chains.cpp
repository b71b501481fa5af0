#include "runtime/graph/fuse_chains.h"

#include <algorithm>
#include <array>

#include "runtime/graph/rewrite.h"
#include "runtime/ops/pointwise_chain.h"

namespace skiff {
namespace {

/// What a GPU's interpreter counts in.
constexpr std::int64_t kMostElements = (std::int64_t{1} << 31) - 1;

/// A few numbers without repetition.
template <int kRoom>
struct Few {
  std::int32_t items[kRoom];
  std::int32_t count = 0;

  const std::int32_t* begin() const { return items; }
  const std::int32_t* end() const { return items + count; }
  /// Where `item` stands; `count`: nowhere.
  std::int32_t find(std::int32_t item) const {
    std::int32_t i = 0;
    while (i < count && items[i] != item) ++i;
    return i;
  }
  /// False when there is no room.
  bool add(std::int32_t item) {
    if (find(item) < count) return true;
    if (count == kRoom) return false;
    items[count++] = item;
    return true;
  }
};

/// Nodes in the order they run, and the values that come from outside of them.
struct Chain {
  Few<PointwiseChain::kMaxSteps> nodes;
  Few<PointwiseChain::kMaxInputs> inputs;

  std::int32_t last() const { return nodes.end()[-1]; }
};

/// What is known of a node.
struct Member {
  bool elementwise = false;
  PointwiseChain::Step step{};
  std::int32_t stretch = 0;  ///< how many nodes of other kinds ran before
  std::int32_t last = -1;    ///< the last node of the chain that it is part of
  Chain chain{};             ///< that ends in it
};

/// Finds the chains of a graph.
class Finder {
 public:
  Finder(const Graph& graph, Chains which, std::pmr::memory_resource& scratch)
      : graph_(graph),
        which_(which),
        members_(graph.nodes.size(), &scratch),
        readers_(graph, scratch) {
    std::int32_t stretch = 0;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      Member& member = members_[n];
      member.elementwise = read_chain_step(graph, graph.nodes[n], member.step, scratch);
      member.stretch = member.elementwise ? stretch : ++stretch;
      if (member.elementwise) begin_chain(static_cast<std::int32_t>(n));
    }
    for (std::size_t n = 0; n < graph.nodes.size(); ++n)
      if (members_[n].elementwise) join_operands(static_cast<std::int32_t>(n));
  }

  bool any() const { return any_; }
  /// The chain of several nodes that a node is part of; null: none.
  const Chain* group_of(std::int32_t n) const {
    if (!members_[at(n)].elementwise) return nullptr;
    const Chain& chain = members_[at(members_[at(n)].last)].chain;
    return chain.nodes.count > 1 ? &chain : nullptr;
  }
  const PointwiseChain::Step& step(std::int32_t n) const { return members_[at(n)].step; }

 private:
  void begin_chain(std::int32_t n) {
    Member& member = members_[at(n)];
    member.last = n;
    member.chain.nodes.add(n);
    for (std::int32_t id : graph_.nodes[at(n)].inputs) member.chain.inputs.add(id);
  }

  /// Takes in the chains that a node's operands come from.
  void join_operands(std::int32_t n) {
    for (std::int32_t id : graph_.nodes[at(n)].inputs)
      if (belongs(id, n)) take_in(members_[at(n)].chain, n, id);
  }

  /// Whether a node's operand is computed next to it, for it alone.
  bool belongs(std::int32_t operand, std::int32_t n) const {
    const GraphValue& value = graph_.value(operand);
    if (value.producer < 0 || readers_.only(operand) < 0) return false;
    const Member& member = members_[at(value.producer)];
    return member.elementwise && member.stretch == members_[at(n)].stretch &&
           same_shape(value, graph_.value(graph_.nodes[at(n)].outputs[0]));
  }

  /// The chain that ends in `operand`, where there is room for both.
  void take_in(Chain& chain, std::int32_t last, std::int32_t operand) {
    const Chain& before = members_[at(graph_.value(operand).producer)].chain;
    Chain both{.nodes = {}, .inputs = before.inputs};
    for (std::int32_t id : chain.inputs)
      if (id != operand && !both.inputs.add(id)) return;
    if (before.nodes.count + chain.nodes.count > PointwiseChain::kMaxSteps) return;
    if (which_ == Chains::of_long_rows && !has_long_rows(both, graph_.value(operand))) return;
    std::merge(before.nodes.begin(), before.nodes.end(), chain.nodes.begin(), chain.nodes.end(),
               both.nodes.items);
    both.nodes.count = before.nodes.count + chain.nodes.count;
    chain = both;
    any_ = true;
    for (std::int32_t n : chain.nodes) members_[at(n)].last = last;
  }

  /// At the largest sizes.
  bool has_long_rows(const Chain& chain, const GraphValue& result) const {
    std::array<const TensorInfo*, PointwiseChain::kMaxInputs> infos{};
    for (std::size_t i = 0; i < at(chain.inputs.count); ++i)
      infos[i] = &graph_.value(chain.inputs.items[i]).info;
    return chain_has_long_rows({infos.data(), at(chain.inputs.count)}, result.info.shape);
  }

  const Graph& graph_;
  Chains which_;
  bool any_ = false;
  std::pmr::vector<Member> members_;
  Readers readers_;
};

template <typename T>
T* allocate(std::pmr::memory_resource& memory, std::int32_t count) {
  return static_cast<T*>(memory.allocate(at(count) * sizeof(T), alignof(T)));
}

/// A node for a chain; what it points to lives in `memory`. `graph`: where its nodes still are.
GraphNode make_node(const Graph& graph, const Finder& finder, const Chain& chain,
                    std::pmr::memory_resource& memory) {
  auto& code = *new (allocate<PointwiseChain>(memory, 1)) PointwiseChain{};
  auto* const inputs = allocate<std::int32_t>(memory, chain.inputs.count);
  std::copy(chain.inputs.begin(), chain.inputs.end(), inputs);
  code.inputs = chain.inputs.count;
  const auto slot_of = [&](std::int32_t value) {
    const std::int32_t input = chain.inputs.find(value);
    return input < code.inputs ? input
                               : code.inputs + chain.nodes.find(graph.value(value).producer);
  };
  for (std::int32_t n : chain.nodes) {
    PointwiseChain::Step& step = code.steps[code.count++] = finder.step(n);
    step.a = slot_of(graph.nodes[at(n)].inputs[0]);
    if (step.binary != 0) step.b = slot_of(graph.nodes[at(n)].inputs[1]);
  }
  GraphNode node = graph.nodes[at(chain.last())];  // its name and result are the chain's
  node.def = &pointwise_chain_op();
  node.attributes = &code;
  node.inputs = {inputs, at(chain.inputs.count)};
  return node;
}

}  // namespace

bool read_chain_step(const Graph& graph, const GraphNode& node, PointwiseChain::Step& step,
                     std::pmr::memory_resource& scratch) {
  const fb::OpKind op = node.def->op;
  if (node.follows != 0 || (op != fb::OpKind::unary && op != fb::OpKind::binary))
    return false;  // `follows`: sizes that a run finds out
  for (std::int32_t id : {node.inputs[0], node.inputs.back(), node.outputs[0]})
    if (graph.value(id).info.shape.elements() > kMostElements) return false;
  return read_chain_step(view_of(graph, node, scratch), step);
}

void fuse_chains(const Graph& graph, std::optional<Graph>& own, Chains which,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  const auto make = [&](const Graph& from, const Finder& finder, const Chain& chain) {
    return make_node(from, finder, chain, memory);
  };
  rewrite<Finder>(graph, own, memory, make, which, scratch);
}

}  // namespace skiff
