#include "converters/dynamic/generaliser.h"

#include <algorithm>

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
  for (ir::ValueId id : base_.inputs) set_dims(id, next);
  for (ir::NodeId id : base_.order()) {
    visit_dims(base_.node(id).attrs, [&](std::int64_t& number) { number = next(); });
    for (ir::ValueId output : base_.node(id).outputs) set_dims(output, next);
  }
  declare_symbols();
  cut_constants(next);
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

/// What depends on a count comes behind the node that counts, also where no data says so.
void Generaliser::order_counts() {
  std::vector<std::pair<ir::NodeId, ir::NodeId>> order;
  const auto depend = [&](ir::NodeId id, std::int64_t dim) {
    if (dim >= 0) return;
    for (const fb::DimToken& token :
         base_.expressions[static_cast<std::size_t>(-(dim + 1))].postfix) {
      if (token.op() != fb::DimOp::symbol) continue;
      const std::int32_t counts = base_.symbols[static_cast<std::size_t>(token.value())].node;
      if (counts >= 0 && counts != id) order.emplace_back(counts, id);
    }
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

/// The numbers of a graph in the base's order: inputs' shapes, then node by node attributes and
/// shapes of results. Of constants only those are kept that differ.
void Generaliser::collect(const ir::Graph& graph, const Match* found) {
  std::size_t at = 0;
  const auto put = [&](std::int64_t number, const std::string& what) {
    if (found == nullptr) slots_.push_back({{}, what});
    slots_[at++].numbers.push_back(number);
  };
  const auto put_shape = [&](ir::ValueId id) {
    const ir::ValueId partner = found == nullptr ? id : found->values[static_cast<std::size_t>(id)];
    const ir::Value& value = graph.value(partner == ir::kAbsent ? id : partner);
    // A result nothing reads has no partner; it keeps its largest shape's formula unread.
    const Shape& shape = partner == ir::kAbsent ? base_.value(id).shape : value.shape;
    for (std::int64_t extent : shape) put(extent, "the shape of '" + base_.value(id).name + "'");
  };
  for (ir::ValueId id : base_.inputs) {
    if (found == nullptr) first_slot_[id] = at;
    put_shape(id);
  }
  for (ir::NodeId id : base_.order()) {
    const ir::NodeId partner = found == nullptr ? id : found->nodes[static_cast<std::size_t>(id)];
    ir::Attributes attributes = graph.node(partner).attrs;
    visit_dims(attributes, [&](std::int64_t& number) {
      put(number, "an attribute of '" + base_.node(id).name + "'");
    });
    for (ir::ValueId output : base_.node(id).outputs) {
      if (found == nullptr) first_slot_[output] = at;
      put_shape(output);
    }
    if (found == nullptr) note_windows(base_.node(id));
  }
  for (auto& [id, series] : counts_) {
    const ir::NodeId partner = found == nullptr ? id : found->nodes[static_cast<std::size_t>(id)];
    series.push_back(graph.node(partner).count);
  }
  ++samples_;
  if (found == nullptr) return;
  for (const VaryingConstant& constant : found->constants) note(constant);
}

void Generaliser::note_windows(const ir::Node& node) {
  if (node.op != fb::OpKind::conv && node.op != fb::OpKind::pool) return;
  const auto from = first_slot_.find(node.inputs[0]);
  if (from == first_slot_.end()) return;
  const std::size_t to = first_slot_.at(node.outputs[0]);
  const auto spatial = static_cast<std::size_t>(base_.value(node.inputs[0]).shape.rank()) - 2;
  for (std::size_t s = 0; s < spatial; ++s) {
    std::vector<Window>& windows = slots_[to + 1 + s].windows;
    if (node.op == fb::OpKind::conv) {
      const Shape& weights = base_.value(node.inputs[1]).shape;
      windows = windows_of(node.attrs.unpack<fb::ConvAttrs>(), weights[static_cast<int>(s) + 1], s,
                           spatial);
    } else {
      const auto native = node.attrs.unpack<fb::PoolAttrs>();
      windows = windows_of(native, at_or(native.kernel, s, 1), s, spatial);
    }
    for (Window& window : windows) window.input = from->second + 1 + s;
  }
}

void Generaliser::note(const VaryingConstant& constant) {
  const Use use{constant.node, constant.input};
  auto [place, added] = constants_.try_emplace(use);
  const Shape& largest = base_.value(operand(use)).shape;
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
      const ir::Value& value = base_.value(operand(use));
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
void Generaliser::set_dims(ir::ValueId id, const Next& next) {
  ir::Value& value = base_.value(id);
  for (int axis = 0; axis < value.shape.rank(); ++axis) value.dims.push_back(next());
}

/// Constants that grow with the sizes are stored at their largest, and cut to size.
template <typename Next>
void Generaliser::cut_constants(const Next& next) {
  std::map<std::pair<ir::ValueId, std::vector<std::int64_t>>, ir::ValueId> made;
  for (const auto& [use, series] : constants_) {
    const ir::ValueId whole = operand(use);
    std::vector<std::int64_t> dims;
    for (std::size_t axis = 0; axis < series.size(); ++axis) dims.push_back(next());
    auto [place, added] = made.try_emplace({whole, dims}, ir::kAbsent);
    if (added) place->second = cut(whole, dims);
    base_.node(use.first).inputs[use.second] = place->second;
  }
  base_.sort();
}

ir::ValueId Generaliser::cut(ir::ValueId whole, const std::vector<std::int64_t>& dims) {
  const Shape shape = base_.value(whole).shape;
  fb::SliceAttrsT attributes;
  attributes.starts.assign(dims.size(), 0);
  attributes.sizes.assign(shape.begin(), shape.end());
  attributes.steps.assign(dims.size(), 1);
  const ir::NodeId id = base_.insert_node(0, fb::OpKind::slice, attributes, {whole},
                                          base_.value(whole).name + "/cut");
  attributes.sizes = dims;
  base_.node(id).attrs = attributes;
  base_.value(base_.node(id).outputs[0]).dims = dims;
  return base_.node(id).outputs[0];
}

}  // namespace skiff::dynamic
