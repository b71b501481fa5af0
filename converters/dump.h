#pragma once

#include <string>

#include "converters/ir/graph.h"

namespace skiff::convert {

/// The graph as text for people: inputs, outputs, then one line a node with its attributes and the
/// dtype and shape of every operand. The same graph gives the same text.
std::string dump(const ir::Graph& graph);

/// The attributes of a node on one line, "" when it has none.
std::string to_text(const ir::Attributes& attributes);

}  // namespace skiff::convert
