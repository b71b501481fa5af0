#pragma once

#include <cstdint>

#include "runtime/ops/op.h"

namespace skiff {

/// Extents of a recurrent layer: `gates` is 1 (RNN), 3 (GRU: update, reset, hidden) or 4 (LSTM:
/// input, output, forget, cell), ONNX's order.
struct RnnGeometry {
  std::int64_t steps, batch, inputs, hidden;
  std::int64_t directions, gates;
  int activations;  ///< a direction: f; f, g; f, g, h
};

/// Of a node whose x and attributes were checked.
RnnGeometry rnn_geometry(const NodeView& node) noexcept;

}  // namespace skiff
