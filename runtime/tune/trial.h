#pragma once

#include <optional>

#include "runtime/backend/device.h"

namespace skiff::tune {

/// Milliseconds of one algorithm of a node on the GPU, alone and with nothing of it in the caches;
/// nothing when this algorithm cannot do the node, or there is no memory to try it. Takes memory of
/// the GPU during the call: operands, scratch and what flushes the caches.
std::optional<float> time_alone(backend::Device& device, const NodeView& node,
                                std::span<const TensorInfo> outputs,
                                const backend::KernelWish& wish, int runs);

}  // namespace skiff::tune
