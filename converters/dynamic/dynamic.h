#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "converters/import.h"

namespace skiff::dynamic {

/// --dyn: what a symbol may be. It is named as the model names it, or INPUT:AXIS where an axis is
/// meant that has no name; INPUT:AXIS,INPUT:AXIS makes one symbol of several.
struct Bounds {
  std::string symbol;
  std::int64_t min = 1, opt = 1, max = 1;
  std::int64_t multiple_of = 0;  ///< 0: the smallest that works is looked for
};

/// True when an axis to which the model gives a fixed extent may become another one.
bool changes_fixed(const std::vector<convert::DeclaredInput>& inputs,
                   const std::vector<Bounds>& bounds);

/// True when that axis is the first one: items of a batch, which must not mix.
bool changes_batch(const std::vector<convert::DeclaredInput>& inputs,
                   const std::vector<Bounds>& bounds);

/// What one conversion of several is made for.
struct Sizes {
  std::map<std::string, Shape> shapes;  ///< of inputs that are not as the model says
  int assumption = 0;                   ///< ir::Graph::assumption
};

/// The model's graph, ready but for the writer, for these sizes.
using ConvertAt = std::function<ir::Graph(const Sizes& sizes)>;

/// The graph for one choice of its symbols: the same nodes and values by number, without symbols.
/// Of those that nodes set it is assumed that the nodes counted that.
ir::Graph at_sizes(const ir::Graph& graph, std::span<const std::int64_t> symbols);
/// The same with every symbol as usual.
ir::Graph at_usual_sizes(const ir::Graph& graph);

/// Looks at a graph with symbols; throws Error{unsupported, invalid_argument} when it is wrong
/// somewhere within the bounds.
using CheckSizes = std::function<void(const ir::Graph& graph)>;

/// One graph for all sizes within the bounds. The model is converted at several choices of the
/// symbols; what then differs between the graphs is written as expressions over the symbols, found
/// by fitting and checked at further choices. A number of results that a node counts is a symbol
/// too; without bounds these are the only ones. `inputs` are the model's own; `fixed` shapes win.
/// The result's shapes are those at the largest sizes, its inputs and outputs in the same order.
/// Throws Error{invalid_argument} for bounds that fit no axis, and Error{unsupported} naming the
/// node whose dependence on the sizes cannot be expressed.
ir::Graph generalise(std::vector<convert::DeclaredInput> inputs,
                     const std::map<std::string, Shape>& fixed, std::vector<Bounds> bounds,
                     const ConvertAt& convert, const CheckSizes& check);

}  // namespace skiff::dynamic
