#pragma once

#include <map>
#include <span>

#include "converters/quantize/products.h"
#include "converters/quantize/scale.h"

namespace skiff::quantize {

/// Each of the products reads its data through a quantize and a dequantize operator, one pair for
/// all products that read the same value, and weights that round_weights() rounded; the graph stays
/// one of floats. `scales` has the scale of every product's data.
void insert_pairs(ir::Graph& graph, std::span<const Product> products,
                  const std::map<ir::ValueId, Scale>& scales);

}  // namespace skiff::quantize
