#pragma once

#include <functional>
#include <vector>

#include "converters/tflite/operation.h"

// What importers of recurrent layers share.
namespace skiff::convert::tfl {

struct Stepped {
  ir::ValueId y = ir::kAbsent;
  std::vector<ir::ValueId> states = {};
};

/// One step of a cell in the graph of the operation it was made with: x [B, I] and the states
/// before it; y and the states behind it.
using Step = std::function<Stepped(ir::ValueId x, const std::vector<ir::ValueId>& states)>;
/// Prepares weights in the graph of `op` and gives the step that uses them.
using MakeStep = std::function<Step(Operation& op)>;

struct Sequence {
  ir::ValueId x = ir::kAbsent;           ///< [B, T, I] or [T, B, I]
  int time = 0;                          ///< its axis of time
  bool backwards = false;                ///< the last step is the first
  std::vector<ir::ValueId> states = {};  ///< before the first step, [B, n] each
};

/// Takes all steps, written out when there are few, else as a nested graph. `operands`: those of
/// the operator that the step reads. y has x's axis of time.
Stepped recur(Operation& op, const Sequence& sequence, const std::vector<int>& operands,
              const MakeStep& make);

/// The rnn operator on the whole sequence, with one direction and the states as they come.
/// `weights`: w, r, b and, or not, peephole as the operator has them.
Stepped add_rnn(Operation& op, fb::RnnAttrsT attrs, const Sequence& sequence,
                const std::vector<ir::ValueId>& weights);

/// The state that operand i holds, zeros where there is none.
ir::ValueId first_state(Operation& op, int i, const Shape& shape);

ir::ValueId concat(Operation& op, std::vector<ir::ValueId> parts, std::int64_t axis);
/// Parts of two axes one below the other, as [1, rows, columns].
ir::ValueId stack_matrices(Operation& op, std::vector<ir::ValueId> parts);
/// Parts of one axis one behind the other, as [1, n].
ir::ValueId stack_vectors(Operation& op, std::vector<ir::ValueId> parts);
/// Biases as the rnn operator has them: the recurrent half, which the format lacks, is zero.
ir::ValueId stack_biases(Operation& op, std::vector<ir::ValueId> parts);
/// x w^T + b for x [B, I], w [N, I] and b [N], which may be absent.
ir::ValueId product(Operation& op, ir::ValueId x, ir::ValueId w, ir::ValueId b);
ir::ValueId activated(Operation& op, ir::ValueId x, tflite::Activation activation);

/// What the two directions of a layer read: x, or x and an auxiliary operand side by side when
/// there are weights for it, else backwards the auxiliary operand alone.
struct BothWays {
  ir::ValueId forwards = ir::kAbsent, backwards = ir::kAbsent;
  bool joined = false;
};
BothWays operands_of_both(Operation& op, int auxiliary, int weights);
/// Side by side, or as two outputs.
void output_both(Operation& op, ir::ValueId forwards, ir::ValueId backwards, bool merge);

}  // namespace skiff::convert::tfl
