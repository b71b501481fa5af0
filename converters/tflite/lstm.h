#pragma once

#include "converters/tflite/recurrence.h"

namespace skiff::convert::tfl {

inline constexpr int kInputGate = 0, kForgetGate = 1, kCellGate = 2, kOutputGate = 3;

/// One direction of an LSTM; operands by number. Without input weights for the input gate that gate
/// is what the forget gate leaves.
struct Lstm {
  int first = 0;       ///< added to the numbers of the weights
  int norm = -1;       ///< scales of the four normalised gates; -1: gates are not normalised
  int auxiliary = -1;  ///< weights of the four gates for what stands behind x; -1: nothing does
  int h = 18, c = 19;  ///< states
  tflite::Activation activation = tflite::Activation::none;
  float cell_clip = 0, proj_clip = 0;  ///< 0: none

  int input_weights(int gate) const noexcept { return first + 1 + gate; }
  int recurrent_weights(int gate) const noexcept { return first + 5 + gate; }
  /// The cell gate has none.
  int peephole(int gate) const noexcept { return first + 9 + (gate == kOutputGate ? 2 : gate); }
  int bias(int gate) const noexcept { return first + 12 + gate; }
  int projection() const noexcept { return first + 16; }
  int projection_bias() const noexcept { return first + 17; }
};

inline bool is_coupled(const Operation& op, const Lstm& lstm) noexcept {
  return !op.has(lstm.input_weights(kInputGate));
}
bool has_norm(const Operation& op, const Lstm& lstm) noexcept;

/// Weights of a gate: [H, I] for x and what stands beside it, [H, R] for the state.
ir::ValueId input_weights(Operation& op, const Lstm& lstm, int gate);
ir::ValueId recurrent_weights(Operation& op, const Lstm& lstm, int gate);

/// A step of elementary operators, for all that the format can say (lstm_cell.cpp).
Step make_lstm_step(Operation& op, const Lstm& lstm);

}  // namespace skiff::convert::tfl
