#include "converters/dynamic/dynamic.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "converters/dynamic/axes.h"
#include "converters/dynamic/dims.h"
#include "converters/dynamic/fit.h"
#include "converters/dynamic/match.h"
#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

using convert::DeclaredInput;

constexpr std::size_t kSamples = 7;  // for fitting, the largest sizes among them
constexpr std::size_t kChecks = 3;   // that take no part in the fitting
constexpr std::int64_t kMaxMultiple = 128;

/// How far a window operator's result reaches: floor((input + add) / stride).
struct Window {
  std::size_t input = 0;  ///< slot of the extent it slides over
  std::int64_t add = 0, stride = 1;
};

/// Numbers of one place of the graph, one a sample.
struct Slot {
  Series numbers;
  std::string what;
  std::vector<Window> windows = {};  ///< formulas to try first
};

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

/// The graph at the largest sizes and every number of it that other sizes may change.
class Generaliser {
 public:
  Generaliser(ir::Graph base, std::vector<Bounds> bounds)
      : base_(std::move(base)), bounds_(std::move(bounds)) {
    collect(base_, nullptr);
  }

  void add(const ir::Graph& other) {
    const Match found = match(base_, other);
    collect(other, &found);
  }

  /// `choices` are the ones the graphs were made for, the largest first.
  ir::Graph finish(const std::vector<Choice>& choices) {
    fit(choices);
    std::size_t at = 0;
    const auto next = [&] { return dims_[at++]; };
    for (ir::ValueId id : base_.inputs) set_dims(id, next);
    for (ir::NodeId id : base_.order()) {
      visit_dims(base_.node(id).attrs, [&](std::int64_t& number) { number = next(); });
      for (ir::ValueId output : base_.node(id).outputs) set_dims(output, next);
    }
    cut_constants(next);
    for (const Bounds& b : bounds_) {
      fb::SymbolT& symbol = base_.symbols.emplace_back();
      symbol.name = b.symbol;
      symbol.min = b.min, symbol.opt = b.opt, symbol.max = b.max;
      symbol.multiple_of = b.multiple_of;
    }
    return std::move(base_);
  }

 private:
  using Use = std::pair<ir::NodeId, std::size_t>;  // a node and its operand

  /// The numbers of a graph in the base's order: inputs' shapes, then node by node attributes and
  /// shapes of results. Of constants only those are kept that differ.
  void collect(const ir::Graph& graph, const Match* found) {
    std::size_t at = 0;
    const auto put = [&](std::int64_t number, const std::string& what) {
      if (found == nullptr) slots_.push_back({{}, what});
      slots_[at++].numbers.push_back(number);
    };
    const auto put_shape = [&](ir::ValueId id) {
      const ir::ValueId partner =
          found == nullptr ? id : found->values[static_cast<std::size_t>(id)];
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
    ++samples_;
    if (found == nullptr) return;
    for (const VaryingConstant& constant : found->constants) note(constant);
  }

  void note_windows(const ir::Node& node) {
    if (node.op != fb::OpKind::conv && node.op != fb::OpKind::pool) return;
    const auto from = first_slot_.find(node.inputs[0]);
    if (from == first_slot_.end()) return;
    const std::size_t to = first_slot_.at(node.outputs[0]);
    const auto spatial = static_cast<std::size_t>(base_.value(node.inputs[0]).shape.rank()) - 2;
    for (std::size_t s = 0; s < spatial; ++s) {
      std::vector<Window>& windows = slots_[to + 1 + s].windows;
      if (node.op == fb::OpKind::conv) {
        const Shape& weights = base_.value(node.inputs[1]).shape;
        windows = windows_of(node.attrs.unpack<fb::ConvAttrs>(), weights[static_cast<int>(s) + 1],
                             s, spatial);
      } else {
        const auto native = node.attrs.unpack<fb::PoolAttrs>();
        windows = windows_of(native, at_or(native.kernel, s, 1), s, spatial);
      }
      for (Window& window : windows) window.input = from->second + 1 + s;
    }
  }

  void note(const VaryingConstant& constant) {
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

  ir::ValueId operand(const Use& use) const { return base_.node(use.first).inputs[use.second]; }

  void fit(const std::vector<Choice>& choices) {
    std::vector<Series> symbols(bounds_.size());
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

  std::vector<Series> first_samples(std::vector<Series> all) const {
    const std::size_t count = samples_ > kSamples ? kSamples : samples_;
    for (Series& series : all) series.resize(count);
    return all;
  }

  /// Also at the choices the fit has not seen.
  void check(const Slot& slot, std::int64_t dim, const Fitter& fitter,
             const std::vector<Choice>& choices) const {
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const std::int64_t found = evaluate(dim, fitter.expressions(), choices[i]);
      require(found == slot.numbers[i], ErrorCode::unsupported, slot.what, " is ", slot.numbers[i],
              " where the formula found for other sizes gives ", found);
    }
  }

  template <typename Next>
  void set_dims(ir::ValueId id, const Next& next) {
    ir::Value& value = base_.value(id);
    for (int axis = 0; axis < value.shape.rank(); ++axis) value.dims.push_back(next());
  }

  /// Constants that grow with the sizes are stored at their largest, and cut to size.
  template <typename Next>
  void cut_constants(const Next& next) {
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

  ir::ValueId cut(ir::ValueId whole, const std::vector<std::int64_t>& dims) {
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

  ir::Graph base_;
  std::vector<Bounds> bounds_;
  std::vector<Slot> slots_;
  std::map<ir::ValueId, std::size_t> first_slot_;  // of a value's shape
  std::map<Use, std::vector<Series>> constants_;   // a series an axis
  std::size_t samples_ = 0;
  std::vector<std::int64_t> dims_;
};

ir::Graph try_bounds(const Axes& axes, const std::vector<Bounds>& bounds, const ir::Graph& largest,
                     const ConvertAt& convert, const CheckSizes& check) {
  const std::vector<Choice> choices = choose(bounds, kSamples + kChecks);
  Generaliser generaliser(largest, bounds);
  for (std::size_t i = 1; i < choices.size(); ++i)
    generaliser.add(convert(axes.shapes(choices[i])));
  ir::Graph graph = generaliser.finish(choices);
  check(graph);
  return graph;
}

/// Symbols whose bounds allow it become multiples of `step`; false: none did.
bool take_step(const std::vector<Bounds>& wanted, std::int64_t step, std::vector<Bounds>& bounds) {
  bool changed = step == 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Bounds& b = wanted[i];
    if (b.multiple_of != 0) continue;
    const bool fits = b.min % step == 0 && b.opt % step == 0 && b.max % step == 0;
    bounds[i].multiple_of = fits ? step : std::max<std::int64_t>(bounds[i].multiple_of, 1);
    changed |= fits;
  }
  return changed;
}

}  // namespace

ir::Graph at_sizes(const ir::Graph& graph, std::span<const std::int64_t> symbols) {
  ir::Graph result = graph;
  const auto value_of = [&](std::int64_t dim) { return evaluate(dim, graph.expressions, symbols); };
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    ir::Value& value = result.value(static_cast<ir::ValueId>(i));
    for (std::size_t axis = 0; axis < value.dims.size(); ++axis)
      value.shape[static_cast<int>(axis)] = value_of(value.dims[axis]);
    value.dims.clear();
  }
  for (ir::NodeId id : result.order())
    visit_dims(result.node(id).attrs, [&](std::int64_t& number) { number = value_of(number); });
  result.symbols.clear();
  result.expressions.clear();
  return result;
}

ir::Graph generalise(std::vector<DeclaredInput> inputs, const std::map<std::string, Shape>& fixed,
                     std::vector<Bounds> wanted, const ConvertAt& convert,
                     const CheckSizes& check) {
  for (const Bounds& b : wanted) check_bounds(b);
  fix_constants(inputs, wanted);
  const Axes axes(inputs, fixed, wanted);
  Choice most;
  for (const Bounds& b : wanted) most.push_back(b.max);
  const ir::Graph largest = convert(axes.shapes(most));
  std::vector<Bounds> bounds = wanted;
  std::exception_ptr first;
  // Many networks halve their sizes again and again and add what was halved up: such sizes must be
  // multiples of a power of two.
  for (std::int64_t step = 1; step <= kMaxMultiple; step *= 2) {
    if (!take_step(wanted, step, bounds)) break;
    try {
      return try_bounds(axes, bounds, largest, convert, check);
    } catch (const Error&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

}  // namespace skiff::dynamic