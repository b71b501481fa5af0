#pragma once

#include <map>
#include <span>

#include "converters/quantize/bias.h"
#include "converters/quantize/products.h"
#include "converters/quantize/scale.h"

namespace skiff::quantize {

/// Each of the products reads its data through a quantize and a dequantize operator, one pair for
/// all products that read the same value, and weights that round_weights() rounded; mean_excess()
/// is taken off its bias. The graph stays one of floats. `data` describes what products read.
void insert_pairs(ir::Graph& graph, std::span<const Product> products,
                  const std::map<ir::ValueId, ChannelMeans>& data);

}  // namespace skiff::quantize
