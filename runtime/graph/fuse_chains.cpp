#include "runtime/graph/fuse_chains.h"

#include <algorithm>

#include "runtime/graph/rewrite.h"
#include "runtime/ops/pointwise_chain.h"

namespace skiff {
namespace {

/// What a GPU's interpreter counts in.
constexpr std::int64_t kMostElements = (std::int64_t{1} << 31) - 1;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

/// Nodes in the order they run, and the values that come from outside of them.
struct Chain {
  explicit Chain(std::pmr::memory_resource& memory) : nodes(&memory), inputs(&memory) {}
  std::pmr::vector<std::int32_t> nodes, inputs;
};

/// True when both have the same shape for every choice of the symbols.
bool same_shape(const GraphValue& a, const GraphValue& b) {
  if (a.info.shape != b.info.shape || (a.dims == nullptr) != (b.dims == nullptr)) return false;
  return a.dims == nullptr ||
         std::equal(a.dims->begin(), a.dims->end(), b.dims->begin(), b.dims->end());
}

/// Finds the chains of a graph.
class Finder {
 public:
  Finder(const Graph& graph, Chains which, std::pmr::memory_resource& scratch)
      : graph_(graph),
        which_(which),
        scratch_(scratch),
        steps_(graph.nodes.size(), std::nullopt, &scratch),
        readers_(graph.values.size(), 0, &scratch),
        stretch_(graph.nodes.size(), 0, &scratch),
        chain_of_(graph.nodes.size(), -1, &scratch),
        chains_(&scratch) {
    std::int32_t stretch = 0;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (std::int32_t id : graph.nodes[n].inputs)
        if (id >= 0) ++readers_[at(id)];
      steps_[n] = step_of(graph.nodes[n]);
      if (!steps_[n]) ++stretch;
      stretch_[n] = stretch;
    }
  }

  void run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      if (steps_[n]) add(static_cast<std::int32_t>(n));
  }

  /// The chain that a node is part of, if there are others in it; null: none.
  const Chain* chain_of(std::size_t n) const {
    if (chain_of_[n] < 0) return nullptr;
    const Chain& chain = chains_[at(chain_of_[n])];
    return chain.nodes.size() > 1 ? &chain : nullptr;
  }
  const PointwiseChain::Step& step(std::int32_t n) const { return *steps_[at(n)]; }

 private:
  std::optional<PointwiseChain::Step> step_of(const GraphNode& node) {
    if (node.follows != 0 ||
        (node.def->op != fb::OpKind::unary && node.def->op != fb::OpKind::binary))
      return {};  // sizes a run finds out
    PointwiseChain::Step step;
    if (!read_chain_step(view_of(graph_, node, scratch_), step)) return {};
    for (std::int32_t id : {node.inputs[0], node.inputs.back(), node.outputs[0]})
      if (graph_.value(id).info.shape.elements() > kMostElements) return {};
    return step;
  }

  /// A chain of one node, which takes in those that its operands come from.
  void add(std::int32_t n) {
    const auto index = static_cast<std::int32_t>(chains_.size());
    Chain& chain = chains_.emplace_back(scratch_);
    const GraphNode& node = graph_.nodes[at(n)];
    chain.nodes.push_back(n);
    for (std::int32_t id : node.inputs)
      if (std::ranges::find(chain.inputs, id) == chain.inputs.end()) chain.inputs.push_back(id);
    for (std::int32_t id : node.inputs)
      if (belongs(id, n)) take_in(chain, id);
    for (std::int32_t member : chain.nodes) chain_of_[at(member)] = index;
  }

  /// Whether a node's operand is computed next to it, for it alone.
  bool belongs(std::int32_t operand, std::int32_t n) const {
    const GraphValue& value = graph_.value(operand);
    return value.producer >= 0 && chain_of_[at(value.producer)] >= 0 &&
           readers_[at(operand)] == 1 && !value.is_output &&
           stretch_[at(value.producer)] == stretch_[at(n)] &&
           same_shape(value, graph_.value(graph_.nodes[at(n)].outputs[0]));
  }

  /// The chain that ends in `operand`, where there is room for both.
  void take_in(Chain& chain, std::int32_t operand) const {
    const Chain& before = chains_[at(chain_of_[at(graph_.value(operand).producer)])];
    std::pmr::vector<std::int32_t> inputs(before.inputs, &scratch_);
    for (std::int32_t id : chain.inputs)
      if (id != operand && std::ranges::find(inputs, id) == inputs.end()) inputs.push_back(id);
    if (chain.nodes.size() + before.nodes.size() > PointwiseChain::kMaxSteps ||
        inputs.size() > PointwiseChain::kMaxInputs || !worth_it(inputs, graph_.value(operand)))
      return;
    chain.inputs = inputs;
    chain.nodes.insert(chain.nodes.end(), before.nodes.begin(), before.nodes.end());
    std::ranges::sort(chain.nodes);
  }

  /// A result of the shape of `like` by rows that are long enough, at the largest sizes.
  bool worth_it(const std::pmr::vector<std::int32_t>& inputs, const GraphValue& like) const {
    if (which_ == Chains::all) return true;
    std::array<const TensorInfo*, PointwiseChain::kMaxInputs> infos{};
    for (std::size_t i = 0; i < inputs.size(); ++i) infos[i] = &graph_.value(inputs[i]).info;
    const ChainLoop loop = loop_of_chain({infos.data(), inputs.size()}, like.info.shape);
    return loop.rank == 1 || loop.inner() >= PointwiseChain::kLongRow;
  }

  const Graph& graph_;
  Chains which_;
  std::pmr::memory_resource& scratch_;
  std::pmr::vector<std::optional<PointwiseChain::Step>> steps_;  // per node
  std::pmr::vector<std::int32_t> readers_;                       // per value
  std::pmr::vector<std::int32_t> stretch_;   // per node: how many others ran before
  std::pmr::vector<std::int32_t> chain_of_;  // per node
  std::pmr::vector<Chain> chains_;
};

/// A node for a chain; what it points to lives in `memory`.
GraphNode make_node(const Graph& graph, const Finder& finder, const Chain& chain,
                    std::pmr::memory_resource& memory) {
  auto& code =
      *new (memory.allocate(sizeof(PointwiseChain), alignof(PointwiseChain))) PointwiseChain{};
  auto* const inputs = static_cast<std::int32_t*>(
      memory.allocate(chain.inputs.size() * sizeof(std::int32_t), alignof(std::int32_t)));
  std::ranges::copy(chain.inputs, inputs);
  code.inputs = static_cast<std::int32_t>(chain.inputs.size());
  const auto slot_of = [&](std::int32_t value) {
    const auto input = std::ranges::find(chain.inputs, value);
    if (input != chain.inputs.end()) return static_cast<std::int32_t>(input - chain.inputs.begin());
    const auto made = std::ranges::find(chain.nodes, graph.value(value).producer);
    return code.inputs + static_cast<std::int32_t>(made - chain.nodes.begin());
  };
  for (std::int32_t n : chain.nodes) {
    PointwiseChain::Step& step = code.steps[code.count++] = finder.step(n);
    const GraphNode& node = graph.nodes[at(n)];
    step.a = slot_of(node.inputs[0]);
    if (step.binary != 0) step.b = slot_of(node.inputs[1]);
  }
  GraphNode node = graph.nodes[at(chain.nodes.back())];  // its name and result are the chain's
  node.def = &pointwise_chain_op();
  node.attributes = &code;
  node.inputs = {inputs, chain.inputs.size()};
  return node;
}

}  // namespace

void fuse_chains(const Graph& graph, std::optional<Graph>& own, Chains which,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  const Graph& from = own ? *own : graph;
  if (from.has_bodies || !from.variables.empty()) return;
  Finder finder(from, which, scratch);
  finder.run();
  std::pmr::vector<GraphNode> nodes(&scratch);
  for (std::size_t n = 0; n < from.nodes.size(); ++n) {
    const Chain* const chain = finder.chain_of(n);
    if (chain == nullptr)
      nodes.push_back(from.nodes[n]);
    else if (chain->nodes.back() == static_cast<std::int32_t>(n))
      nodes.push_back(make_node(from, finder, *chain, memory));
  }
  if (nodes.size() == from.nodes.size()) return;
  if (!own) copy_all_but_nodes(graph, own.emplace(memory));
  own->nodes.assign(nodes.begin(), nodes.end());
  find_producers(*own);
}

}  // namespace skiff
