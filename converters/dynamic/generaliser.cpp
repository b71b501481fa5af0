#include "converters/dynamic/generaliser.h"

#include <algorithm>
#include <tuple>

#include "converters/dynamic/dims.h"
#include "converters/ir/counts.h"
#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

std::int64_t at_or(const std::vector<std::int64_t>& list, std::size_t i, std::int64_t fallback) {
  return i < list.size() ? list[i] : fallback;
}

/// Of spatial axis `s` (`count` in all): the formulas of conv's and pool's shape rules, where the
/// input's slot is 0.
template <typename Native>
std::vector<Window> windows_of(const Native& a, std::int64_t kernel, std::size_t s,
                               std::size_t count) {
  const std::int64_t stride = at_or(a.strides, s, 1);
  const std::int64_t reach = (kernel - 1) * at_or(a.dilations, s, 1) + 1;
  const std::int64_t pads = at_or(a.pads, s, 0) + at_or(a.pads, s + count, 0);
  // Rounded down, and up for pools in ceil mode.
  return {{0, pads - reach + stride, stride}, {0, pads - reach + 2 * stride - 1, stride}};
}

}  // namespace

Generaliser::Generaliser(ir::Graph base, std::vector<Bounds> bounds)
    : base_(std::move(base)), bounds_(std::move(bounds)) {
  for (ir::NodeId id : base_.order())
    if (ir::is_counting(base_.node(id))) counts_.emplace_back(id, Series());
  collect(base_, nullptr);
}

void Generaliser::add(const ir::Graph& other) {
  const Match found = match(base_, other);
  collect(other, &found);
}

ir::Graph Generaliser::finish(std::vector<Choice> choices) {
  for (const auto& [id, series] : counts_)
    for (std::size_t i = 0; i < choices.size(); ++i) choices[i].push_back(series[i]);
  fit(choices);
  std::size_t at = 0;
  const auto next = [&] { return dims_[at++]; };
  set_dims(base_, next);
  declare_symbols();
  cut_constants(next);
  check_nested(base_);
  order_counts();
  set_largest();
  return std::move(base_);
}

void Generaliser::declare_symbols() {
  for (const Bounds& b : bounds_) {
    fb::SymbolT& symbol = base_.symbols.emplace_back();
    symbol.name = b.symbol;
    symbol.min = b.min, symbol.opt = b.opt, symbol.max = b.max;
    symbol.multiple_of = b.multiple_of;
  }
  for (const auto& [id, series] : counts_) {
    fb::SymbolT symbol;
    symbol.name = free_name(base_.node(id).name);
    symbol.node = id;
    symbol.min = 0;
    symbol.opt = symbol.max = ir::most_results(base_, id);
    base_.symbols.push_back(symbol);
  }
}

std::string Generaliser::free_name(const std::string& wanted) const {
  std::string name = wanted.empty() ? "count" : wanted;
  const auto taken = [&](const fb::SymbolT& symbol) { return symbol.name == name; };
  while (std::any_of(base_.symbols.begin(), base_.symbols.end(), taken)) name += "'";
  return name;
}

/// The nodes that set a symbol of this dim.
template <typename Visit>
void Generaliser::each_counting(std::int64_t dim, const Visit& visit) const {
  if (dim >= 0) return;
  for (const fb::DimToken& token :
       base_.expressions[static_cast<std::size_t>(-(dim + 1))].postfix) {
    if (token.op() != fb::DimOp::symbol) continue;
    const std::int32_t node = base_.symbols[static_cast<std::size_t>(token.value())].node;
    if (node >= 0) visit(node);
  }
}

/// What depends on a count comes behind the node that counts, also where no data says so.
void Generaliser::order_counts() {
  std::vector<std::pair<ir::NodeId, ir::NodeId>> order;
  const auto depend = [&](ir::NodeId id, std::int64_t dim) {
    each_counting(dim, [&](ir::NodeId counts) {
      if (counts != id) order.emplace_back(counts, id);
    });
  };
  for (ir::NodeId id : base_.order()) {
    ir::Attributes attributes = base_.node(id).attrs;
    visit_dims(attributes, [&](std::int64_t& number) { depend(id, number); });
    for (ir::ValueId output : base_.node(id).outputs)
      for (std::int64_t dim : base_.value(output).dims) depend(id, dim);
  }
  base_.sort(order);
}

/// Nodes may have counted more than there can be; see ir::assume_count.
void Generaliser::set_largest() {
  std::vector<std::int64_t> largest;
  for (const fb::SymbolT& symbol : base_.symbols) largest.push_back(symbol.max);
  for (std::size_t i = 0; i < base_.value_count(); ++i) {
    ir::Value& value = base_.value(static_cast<ir::ValueId>(i));
    for (std::size_t axis = 0; axis < value.dims.size(); ++axis)
      value.shape[static_cast<int>(axis)] = evaluate(value.dims[axis], base_.expressions, largest);
  }
}

/// The main graph, or a nested one in the order of the nodes that hold them.
ir::Graph& Generaliser::graph_at(int number) {
  const auto find = [&](const auto& self, ir::Graph& graph) -> ir::Graph* {
    if (number-- == 0) return &graph;
    for (ir::NodeId id : graph.order())
      for (ir::Graph& body : graph.node(id).bodies)
        if (ir::Graph* found = self(self, body)) return found;
    return nullptr;
  };
  return *find(find, base_);
}

const ir::Value& Generaliser::operand(const Use& use) {
  const ir::Graph& graph = graph_at(use.graph);
  return graph.value(graph.node(use.node).inputs[use.input]);
}

/// The numbers of a graph in the base's order: inputs' shapes, then node by node attributes, nested
/// graphs and shapes of results. Of constants only those are kept that differ.
void Generaliser::collect(const ir::Graph& graph, const Match* found) {
  at_ = 0;
  graphs_ = 0;
  ++samples_;
  collect_graph({base_, graph, found});
  for (auto& [id, series] : counts_) {
    const ir::NodeId partner = found == nullptr ? id : found->nodes[static_cast<std::size_t>(id)];
    series.push_back(graph.node(partner).count);
  }
}

void Generaliser::collect_graph(const Pair& pair) {
  for (ir::ValueId id : pair.base.inputs) collect_shape(pair, id);
  for (ir::NodeId id : pair.base.order()) collect_node(pair, id);
  if (pair.found == nullptr) return;
  for (const VaryingConstant& constant : pair.found->constants) note(constant, pair.number);
}

void Generaliser::collect_node(const Pair& pair, ir::NodeId id) {
  const ir::Node& node = pair.base.node(id);
  const ir::Node& other =
      pair.other.node(pair.found == nullptr ? id : pair.found->nodes[static_cast<std::size_t>(id)]);
  ir::Attributes attributes = other.attrs;
  visit_dims(attributes,
             [&](std::int64_t& number) { put(number, "an attribute of '", node.name); });
  for (std::size_t i = 0; i < node.bodies.size(); ++i)
    collect_graph({node.bodies[i], other.bodies[i],
                   pair.found == nullptr ? nullptr : &pair.found->bodies.at(id)[i], ++graphs_});
  for (ir::ValueId output : node.outputs) collect_shape(pair, output);
  if (pair.found == nullptr) note_windows(pair, node);
}

void Generaliser::collect_shape(const Pair& pair, ir::ValueId id) {
  if (pair.found == nullptr) first_slot_[{pair.number, id}] = at_;
  const ir::ValueId partner =
      pair.found == nullptr ? id : pair.found->values[static_cast<std::size_t>(id)];
  // A result nothing reads has no partner; it keeps its largest shape's formula unread.
  const ir::Value& value = pair.base.value(id);
  for (std::int64_t extent : partner == ir::kAbsent ? value.shape : pair.other.value(partner).shape)
    put(extent, "the shape of '", value.name);
}

void Generaliser::put(std::int64_t number, const char* what, const std::string& name) {
  if (at_ == slots_.size()) slots_.push_back({{}, what + name + "'"});
  slots_[at_++].numbers.push_back(number);
}

void Generaliser::note_windows(const Pair& pair, const ir::Node& node) {
  if (node.op != fb::OpKind::conv && node.op != fb::OpKind::pool) return;
  const auto from = first_slot_.find({pair.number, node.inputs[0]});
  if (from == first_slot_.end()) return;
  const std::size_t to = first_slot_.at({pair.number, node.outputs[0]});
  const auto spatial = static_cast<std::size_t>(pair.base.value(node.inputs[0]).shape.rank()) - 2;
  for (std::size_t s = 0; s < spatial; ++s) {
    std::vector<Window>& windows = slots_[to + 1 + s].windows;
    if (node.op == fb::OpKind::conv) {
      const Shape& weights = pair.base.value(node.inputs[1]).shape;
      windows = windows_of(node.attrs.unpack<fb::ConvAttrs>(), weights[static_cast<int>(s) + 1], s,
                           spatial);
    } else {
      const auto native = node.attrs.unpack<fb::PoolAttrs>();
      windows = windows_of(native, at_or(native.kernel, s, 1), s, spatial);
    }
    for (Window& window : windows) window.input = from->second + 1 + s;
  }
}

void Generaliser::note(const VaryingConstant& constant, int graph) {
  const Use use{graph, constant.node, constant.input};
  auto [place, added] = constants_.try_emplace(use);
  const Shape& largest = operand(use).shape;
  // In samples that did not mention it, it had its largest shape.
  if (added) place->second.assign(static_cast<std::size_t>(largest.rank()), {});
  for (int axis = 0; axis < largest.rank(); ++axis) {
    Series& series = place->second[static_cast<std::size_t>(axis)];
    series.resize(samples_ - 1, largest[axis]);
    series.push_back(constant.shape[axis]);
  }
}

void Generaliser::fit(const std::vector<Choice>& choices) {
  std::vector<Series> symbols(choices[0].size());
  for (const Choice& choice : choices)
    for (std::size_t s = 0; s < choice.size(); ++s) symbols[s].push_back(choice[s]);
  for (auto& [use, series] : constants_)
    for (std::size_t axis = 0; axis < series.size(); ++axis) {
      const ir::Value& value = operand(use);
      series[axis].resize(samples_, value.shape[static_cast<int>(axis)]);
      slots_.push_back({series[axis], "the size of the constant '" + value.name + "'"});
    }
  Fitter fitter(first_samples(symbols));
  for (const Slot& slot : slots_) {
    const Series numbers = first_samples({slot.numbers})[0];
    for (const Window& window : slot.windows)
      fitter.suggest_quotient(first_samples({slots_[window.input].numbers})[0], window.add,
                              window.stride, numbers);
    const auto dim = fitter.fit(numbers);
    require(dim.has_value(), ErrorCode::unsupported, slot.what,
            " depends on the sizes in no way that a .skiff file can say");
    check(slot, *dim, fitter, choices);
    dims_.push_back(*dim);
  }
  base_.expressions = fitter.expressions();
}

std::vector<Series> Generaliser::first_samples(std::vector<Series> all) const {
  const std::size_t count = samples_ > kSamples ? kSamples : samples_;
  for (Series& series : all) series.resize(count);
  return all;
}

/// Also at the choices the fit has not seen.
void Generaliser::check(const Slot& slot, std::int64_t dim, const Fitter& fitter,
                        const std::vector<Choice>& choices) const {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::int64_t found = evaluate(dim, fitter.expressions(), choices[i]);
    require(found == slot.numbers[i], ErrorCode::unsupported, slot.what, " is ", slot.numbers[i],
            " where the formula found for other sizes gives ", found);
  }
}

template <typename Next>
void Generaliser::set_dims(ir::Graph& graph, const Next& next) {
  const auto set = [&](ir::ValueId id) {
    ir::Value& value = graph.value(id);
    for (int axis = 0; axis < value.shape.rank(); ++axis) value.dims.push_back(next());
  };
  for (ir::ValueId id : graph.inputs) set(id);
  for (ir::NodeId id : graph.order()) {
    ir::Node& node = graph.node(id);
    visit_dims(node.attrs, [&](std::int64_t& number) { number = next(); });
    for (ir::Graph& body : node.bodies) set_dims(body, next);
    for (ir::ValueId output : node.outputs) set(output);
  }
}

/// Constants that grow with the sizes are stored at their largest, and cut to size.
template <typename Next>
void Generaliser::cut_constants(const Next& next) {
  std::map<std::tuple<int, ir::ValueId, std::vector<std::int64_t>>, ir::ValueId> made;
  for (const auto& [use, series] : constants_) {
    ir::Graph& graph = graph_at(use.graph);
    const ir::ValueId whole = graph.node(use.node).inputs[use.input];
    std::vector<std::int64_t> dims;
    for (std::size_t axis = 0; axis < series.size(); ++axis) dims.push_back(next());
    auto [place, added] = made.try_emplace({use.graph, whole, dims}, ir::kAbsent);
    if (added) place->second = cut(graph, whole, dims);
    graph.node(use.node).inputs[use.input] = place->second;
  }
}

ir::ValueId Generaliser::cut(ir::Graph& graph, ir::ValueId whole,
                             const std::vector<std::int64_t>& dims) {
  const Shape shape = graph.value(whole).shape;
  fb::SliceAttrsT attributes;
  attributes.starts.assign(dims.size(), 0);
  attributes.sizes.assign(shape.begin(), shape.end());
  attributes.steps.assign(dims.size(), 1);
  const ir::NodeId id = graph.insert_node(0, fb::OpKind::slice, attributes, {whole},
                                          graph.value(whole).name + "/cut");
  attributes.sizes = dims;
  graph.node(id).attrs = attributes;
  graph.value(graph.node(id).outputs[0]).dims = dims;
  return graph.node(id).outputs[0];
}

/// Sizes that nodes set are the main graph's.
void Generaliser::check_nested(const ir::Graph& graph) const {
  for (ir::NodeId id : graph.order())
    for (const ir::Graph& body : graph.node(id).bodies) {
      for (std::size_t i = 0; i < body.value_count(); ++i)
        for (std::int64_t dim : body.value(static_cast<ir::ValueId>(i)).dims)
          each_counting(dim, [&](ir::NodeId) {
            fail(ErrorCode::unsupported, "'", body.value(static_cast<ir::ValueId>(i)).name,
                 "' in a nested graph of '", graph.node(id).name,
                 "' has a size that depends on data");
          });
      check_nested(body);
    }
}

}  // namespace skiff::dynamic
