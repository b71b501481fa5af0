#pragma once

#include <vector>

#include "converters/ir/graph.h"

namespace skiff::convert {

/// Sums of a tensor's elements over fixed pseudo-random signs, its l2 norm and largest magnitude:
/// enough to name the first layer that is off without storing it. The sign of element i in
/// projection p is bit 63 of splitmix64's output for state i * 8 + p (Steele, Lea, Flood 2014): set
/// is minus.
fb::FingerprintT fingerprint(const ir::Graph& graph, ir::ValueId value);

inline constexpr int kProjections = 4;

}  // namespace skiff::convert
