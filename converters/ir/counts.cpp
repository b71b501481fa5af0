#include "converters/ir/counts.h"

#include <algorithm>
#include <cmath>

namespace skiff::ir {
namespace {

constexpr int kMaxDepth = 64;
/// Few results make axes of extent 1 or none, of which less is kept: more are assumed then.
constexpr std::int64_t kFewest = 3, kInstead = 8;

/// Whether both hold the same whatever the inputs are.
bool same_value(const Graph& graph, ValueId a, ValueId b, int depth) {
  if (a == b) return true;
  if (a == kAbsent || b == kAbsent || depth > kMaxDepth) return false;
  const Value &x = graph.value(a), &y = graph.value(b);
  if (x.constant || y.constant)
    return x.constant == y.constant && x.dtype == y.dtype && x.shape == y.shape;
  if (x.producer < 0 || y.producer < 0) return false;
  const Node &m = graph.node(x.producer), &n = graph.node(y.producer);
  const auto place = [](const Node& node, ValueId id) {
    return std::find(node.outputs.begin(), node.outputs.end(), id) - node.outputs.begin();
  };
  return m.op == n.op && m.attrs == n.attrs && place(m, a) == place(n, b) &&
         std::equal(m.inputs.begin(), m.inputs.end(), n.inputs.begin(), n.inputs.end(),
                    [&](ValueId p, ValueId q) { return same_value(graph, p, q, depth + 1); });
}

bool same_count(const Graph& graph, const Node& a, const Node& b) {
  return a.op == b.op && a.attrs == b.attrs &&
         std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
                    [&](ValueId p, ValueId q) { return same_value(graph, p, q, 0); });
}

/// A number in [0, 1) for the `index`-th counting node. splitmix64 (Steele, Lea, Flood 2014).
double fraction(std::uint64_t index, std::uint64_t assumption) {
  std::uint64_t z = (index * 1000 + assumption + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::int64_t assumed(std::int64_t most, std::uint64_t index, int assumption) {
  const std::int64_t top = most >= kFewest ? most : kInstead;
  if (assumption % kAssumptions == 0) return top;
  const double part = fraction(index, static_cast<std::uint64_t>(assumption));
  // Rounded up, so that operators which need some results get them.
  const double near = std::max(2.0, std::ceil(0.75 * static_cast<double>(top)));
  const double low = assumption < kAssumptions ? 2 : near;
  const double number = low * std::pow(static_cast<double>(top) / low, part);
  return std::clamp<std::int64_t>(std::llround(number), 2, top);
}

}  // namespace

bool is_counting(const Node& node) noexcept {
  const OpDef* def = find_op(node.op);
  return def != nullptr && def->most != nullptr;
}

bool has_counting(const Graph& graph) {
  const auto order = graph.order();
  return std::any_of(order.begin(), order.end(),
                     [&](NodeId id) { return is_counting(graph.node(id)); });
}

std::int64_t most_results(const Graph& graph, NodeId id) {
  Graph::ViewStorage storage;
  return find_op(graph.node(id).op)->most(graph.view(id, storage));
}

std::int64_t upper_bound(const Graph& graph, ValueId id, std::int64_t most) {
  constexpr int kMaxNodes = 64;
  std::vector<ValueId> open = {id};  // none of these is smaller
  for (int nodes = 0; !open.empty() && nodes < kMaxNodes; ++nodes) {
    const Value& value = graph.value(open.back());
    open.pop_back();
    if (value.constant && value.shape.elements() == 1)
      most = std::clamp<std::int64_t>(integers(value)[0], 0, most);
    if (value.producer < 0) continue;
    const Node& node = graph.node(value.producer);
    const bool minimum =
        node.op == fb::OpKind::binary &&
        node.attrs.get<fb::BinaryAttrs>().function() == fb::BinaryFunction::minimum;
    if (minimum || node.op == fb::OpKind::reshape)
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  return most;
}

void assume_count(Graph& graph, NodeId id) {
  std::uint64_t index = 0;
  std::int64_t count = -1;
  for (NodeId other : graph.order()) {
    const Node& node = graph.node(other);
    if (other == id || !is_counting(node)) continue;
    ++index;
    if (count < 0 && same_count(graph, node, graph.node(id))) count = node.count;
  }
  graph.node(id).count =
      count >= 0 ? count : assumed(most_results(graph, id), index, graph.assumption);
  graph.reinfer(id);
}

}  // namespace skiff::ir
