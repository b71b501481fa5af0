#pragma once

#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/quantize/outcome.h"

namespace skiff::quantize {

/// A convolution or matrix product of computed data and constant weights, both float32.
struct Product {
  ir::NodeId node = -1;
  int channel_axis = 0;  ///< of its weights
};

struct Choice {
  std::vector<Product> products;  ///< in the graph's order
  std::vector<Kept> kept;         ///< other operators that multiply, and why they stay as they are
  std::size_t others = 0;         ///< products of data that are integers already
};

/// Which operators of a graph can be products of integers.
Choice choose_products(const ir::Graph& graph);

}  // namespace skiff::quantize
