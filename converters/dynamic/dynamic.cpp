#include "converters/dynamic/dynamic.h"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include "converters/dynamic/axes.h"
#include "converters/dynamic/dims.h"
#include "converters/dynamic/fit.h"
#include "converters/dynamic/generaliser.h"
#include "converters/ir/counts.h"
#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

using convert::DeclaredInput;

constexpr std::int64_t kMaxMultiple = 128;

/// What starts as zeros does so at any size.
void check_variables(const ir::Graph& graph) {
  const auto open = [](std::int64_t dim) { return dim < 0; };
  for (std::size_t i = 0; i < graph.variables.size(); ++i) {
    const ir::Value& value = graph.value(graph.inputs[graph.visible_inputs().size() + i]);
    require(graph.variables[i].initial.empty() || std::ranges::none_of(value.dims, open),
            ErrorCode::unsupported, "variable '", value.name,
            "' has an initial value and would change its size with the sizes that --dyn leaves "
            "open");
  }
}

ir::Graph try_bounds(const Axes& axes, const std::vector<Bounds>& bounds, const ir::Graph& largest,
                     const ConvertAt& convert, const CheckSizes& check, int assumptions) {
  std::vector<Choice> choices = choose(bounds, kSamples + kChecks);
  // Nodes that count their results count otherwise each time.
  if (const std::size_t distinct = choices.size(); ir::has_counting(largest))
    while (choices.size() < kSamples + kChecks)
      choices.push_back(choices[choices.size() % distinct]);
  Generaliser generaliser(largest, bounds);
  for (std::size_t i = 1; i < choices.size(); ++i)
    generaliser.add(convert({axes.shapes(choices[i]), assumptions + static_cast<int>(i)}));
  ir::Graph graph = generaliser.finish(std::move(choices));
  check_variables(graph);
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

/// Also of nested graphs.
template <typename ValueOf>
void fix_sizes(ir::Graph& graph, const ValueOf& value_of) {
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    for (std::size_t axis = 0; axis < value.dims.size(); ++axis)
      value.shape[static_cast<int>(axis)] = value_of(value.dims[axis]);
    value.dims.clear();
  }
  for (ir::NodeId id : graph.order()) {
    ir::Node& node = graph.node(id);
    visit_dims(node.attrs, [&](std::int64_t& number) { number = value_of(number); });
    for (ir::Graph& body : node.bodies) fix_sizes(body, value_of);
  }
}

}  // namespace

ir::Graph at_sizes(const ir::Graph& graph, std::span<const std::int64_t> symbols) {
  ir::Graph result = graph;
  fix_sizes(result, [&](std::int64_t dim) { return evaluate(dim, graph.expressions, symbols); });
  for (std::size_t s = 0; s < graph.symbols.size(); ++s)
    if (graph.symbols[s].node >= 0) result.node(graph.symbols[s].node).count = symbols[s];
  result.symbols.clear();
  result.expressions.clear();
  return result;
}

ir::Graph at_usual_sizes(const ir::Graph& graph) {
  std::vector<std::int64_t> symbols;
  for (const fb::SymbolT& symbol : graph.symbols) symbols.push_back(symbol.opt);
  return at_sizes(graph, symbols);
}

ir::Graph generalise(std::vector<DeclaredInput> inputs, const std::map<std::string, Shape>& fixed,
                     std::vector<Bounds> wanted, const ConvertAt& convert,
                     const CheckSizes& check) {
  for (const Bounds& b : wanted) check_bounds(b);
  fix_constants(inputs, wanted);
  const Axes axes(inputs, fixed, wanted);
  Choice most;
  for (const Bounds& b : wanted) most.push_back(b.max);
  const ir::Graph largest = convert({axes.shapes(most), 0});
  std::vector<Bounds> bounds = wanted;
  std::exception_ptr first;
  // Many networks halve their sizes again and again and add what was halved up: such sizes must be
  // multiples of a power of two.
  for (std::int64_t step = 1; step <= kMaxMultiple; step *= 2) {
    if (!take_step(wanted, step, bounds)) break;
    for (int assumptions : {0, ir::kAssumptions}) {
      try {
        return try_bounds(axes, bounds, largest, convert, check, assumptions);
      } catch (const Error&) {
        if (!first) first = std::current_exception();
      }
      if (!ir::has_counting(largest)) break;
    }
    if (wanted.empty()) break;
  }
  std::rethrow_exception(first);
}

}  // namespace skiff::dynamic