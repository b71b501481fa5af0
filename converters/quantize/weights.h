#pragma once

#include <cstddef>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::quantize {

/// The bytes of a float32 constant in which every channel (index along `axis`) holds whole
/// multiples, -127 to 127, of its own step: the channel's largest magnitude / 127, cut to 17
/// significant bits, so that each multiple is a float exactly. Channels whose step would not be a
/// normal number become zeros. All numbers must be finite.
std::vector<std::byte> round_weights(const ir::Value& weights, int axis);

}  // namespace skiff::quantize
