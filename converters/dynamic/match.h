#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::dynamic {

/// A constant that another conversion of the same model has in another size.
struct VaryingConstant {
  ir::NodeId node = -1;   ///< of `base`, that reads it
  std::size_t input = 0;  ///< as which operand
  Shape shape;            ///< in the other conversion
};

/// How another conversion of the same model, at other sizes, corresponds to `base`.
struct Match {
  std::vector<ir::ValueId> values;  ///< of the other graph, by value of base; kAbsent: none
  std::vector<ir::NodeId> nodes;    ///< of the other graph, by node of base; -1: none
  std::vector<VaryingConstant> constants;
  std::map<ir::NodeId, std::vector<Match>> bodies;  ///< of nested graphs, by node of base
};

/// Walks both graphs from their outputs. They must be the same but for shapes, the numbers of
/// attribute fields marked "dim", and constants whose smaller form is the corner of the larger one,
/// which `base` must have. Throws Error{unsupported} that names the node where they part.
Match match(const ir::Graph& base, const ir::Graph& other);

}  // namespace skiff::dynamic
