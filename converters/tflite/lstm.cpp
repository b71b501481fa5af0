#include "converters/tflite/lstm.h"

#include <cmath>

#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

std::vector<int> operands_of(const Lstm& lstm) {
  std::vector<int> operands;
  for (int i = 1; i <= 17; ++i) operands.push_back(lstm.first + i);
  for (int gate = 0; gate < 4; ++gate) {
    if (lstm.norm >= 0) operands.push_back(lstm.norm + gate);
    if (lstm.auxiliary >= 0) operands.push_back(lstm.auxiliary + gate);
  }
  return operands;
}

/// A gate's weights. The input gate of a coupled pair is 1 - sigmoid(z) = sigmoid(-z), z the sum
/// of the forget gate.
template <typename Weights>
ir::ValueId of_gate(Operation& op, bool coupled, int gate, const Weights& weights) {
  if (!coupled || gate != kInputGate) return weights(gate);
  return op.unary(fb::UnaryFunction::neg, weights(kForgetGate));
}

/// Operands of the rnn operator, which orders gates input, output, forget, cell.
std::vector<ir::ValueId> rnn_weights(Operation& op, const Lstm& lstm) {
  std::vector<ir::ValueId> w, r, b, p;
  const bool coupled = is_coupled(op, lstm), peeps = op.has(lstm.peephole(kOutputGate));
  for (int gate : {kInputGate, kOutputGate, kForgetGate, kCellGate}) {
    w.push_back(of_gate(op, coupled, gate, [&](int g) { return input_weights(op, lstm, g); }));
    r.push_back(of_gate(op, coupled, gate, [&](int g) { return recurrent_weights(op, lstm, g); }));
    b.push_back(of_gate(op, coupled, gate, [&](int g) { return op.in(lstm.bias(g)); }));
    if (peeps && gate != kCellGate)
      p.push_back(of_gate(op, coupled, gate, [&](int g) { return op.in(lstm.peephole(g)); }));
  }
  std::vector<ir::ValueId> weights = {stack_matrices(op, std::move(w)),
                                      stack_matrices(op, std::move(r)),
                                      stack_biases(op, std::move(b))};
  if (peeps) weights.push_back(stack_vectors(op, std::move(p)));
  return weights;
}

fb::RnnAttrsT rnn_attributes(const Lstm& lstm) {
  fb::RnnAttrsT attrs;
  attrs.kind = fb::RnnKind::lstm;
  if (lstm.activation == tflite::Activation::relu)
    attrs.activations = {fb::UnaryFunction::sigmoid, fb::UnaryFunction::relu,
                         fb::UnaryFunction::relu};
  if (lstm.cell_clip > 0 && std::isfinite(lstm.cell_clip)) attrs.cell_clip = lstm.cell_clip;
  return attrs;
}

/// The rnn operator says it all.
bool is_plain(const Operation& op, const Lstm& lstm) noexcept {
  return !op.has(lstm.projection()) && !has_norm(op, lstm) &&
         (lstm.activation == tflite::Activation::tanh ||
          lstm.activation == tflite::Activation::relu);
}

/// y of all steps; the states are kept.
ir::ValueId add_lstm(Operation& op, const Lstm& lstm, Sequence sequence) {
  const Shape x = op.shape_of(sequence.x);
  op.check(x.rank() == 3, "operand of shape ", x);
  const auto rows = [&](int operand) {
    op.check(op.shape(operand).rank() == 2, "weights of shape ", op.shape(operand));
    return op.shape(operand)[0];
  };
  const std::int64_t batch = x[1 - sequence.time], hidden = rows(lstm.input_weights(kOutputGate));
  const bool projects = op.has(lstm.projection());
  sequence.states = {first_state(op, lstm.h, {batch, projects ? rows(lstm.projection()) : hidden}),
                     first_state(op, lstm.c, {batch, hidden})};
  const Stepped result = is_plain(op, lstm)
                             ? add_rnn(op, rnn_attributes(lstm), sequence, rnn_weights(op, lstm))
                             : recur(op, sequence, operands_of(lstm),
                                     [&](Operation& at) { return make_lstm_step(at, lstm); });
  op.keep(lstm.h, result.states[0]);
  op.keep(lstm.c, result.states[1]);
  return result.y;
}

/// Operands: x [B, I], h [B, H], w [4 H, I + H] and bias of the gates input, cell, forget, output,
/// c [B, H]. Outputs: h, c, and what the interpreter of the format keeps on the way.
void import_basic(Operation& op) {
  using Binary = fb::BinaryFunction;
  const ir::ValueId joined = concat(op, {op.in(0), op.in(1)}, 1),
                    sums = product(op, joined, op.in(2), op.in(3)), before = op.in(4);
  const Shape state = op.shape(4);
  op.check(state.rank() == 2, "a state of shape ", state);
  const auto gate = [&](std::int64_t place, fb::UnaryFunction function) {
    return op.unary(function, op.slice(sums, {0, place * state[1]}, {state[0], state[1]}));
  };
  const ir::ValueId input = gate(0, fb::UnaryFunction::sigmoid),
                    fresh = gate(1, fb::UnaryFunction::tanh),
                    forget = gate(2, fb::UnaryFunction::sigmoid),
                    output = gate(3, fb::UnaryFunction::sigmoid);
  const ir::ValueId c = op.binary(Binary::add, op.binary(Binary::mul, input, fresh),
                                  op.binary(Binary::mul, forget, before));
  const ir::ValueId results[] = {
      op.binary(Binary::mul, output, op.unary(fb::UnaryFunction::tanh, c)), c, joined, sums};
  for (int i = 0; i < op.output_count() && i < 4; ++i) op.output(results[i], i);
}

}  // namespace

/// One step, x [B, I].
void import_lstm(Operation& op) {
  const auto& options = op.options<tflite::Lstm>();
  if (options.kernel() == tflite::LstmKernel::basic) return import_basic(op);
  const Shape x = op.shape(0);
  op.check(x.rank() == 2, "operand of shape ", x);
  const ir::ValueId y = add_lstm(op,
                                 {.norm = 20,
                                  .activation = options.activation(),
                                  .cell_clip = options.cell_clip(),
                                  .proj_clip = options.proj_clip()},
                                 {.x = op.reshape(op.in(0), Shape{1, x[0], x[1]})});
  op.output(op.reshape(y, Shape{x[0], op.shape_of(y)[2]}));
}

void import_sequence_lstm(Operation& op) {
  const auto& options = op.options<tflite::SequenceLstm>();
  op.output(add_lstm(op,
                     {.norm = 20,
                      .activation = options.activation(),
                      .cell_clip = options.cell_clip(),
                      .proj_clip = options.proj_clip()},
                     {.x = op.in(0), .time = options.time_major() ? 0 : 1}));
}

/// The operands of both directions stand one behind the other, then the states, then what stands
/// beside x and its weights.
void import_both_ways_lstm(Operation& op) {
  const auto& options = op.options<tflite::BothWaysLstm>();
  const BothWays operands = operands_of_both(op, 39, 41);
  const int time = options.time_major() ? 0 : 1;
  Lstm lstm{.auxiliary = operands.joined ? 40 : -1,
            .h = 35,
            .c = 36,
            .activation = options.activation(),
            .cell_clip = options.cell_clip(),
            .proj_clip = options.proj_clip()};
  const ir::ValueId forwards = add_lstm(op, lstm, {.x = operands.forwards, .time = time});
  lstm.first = 17;
  lstm.auxiliary = operands.joined ? 44 : -1;
  lstm.h = 37;
  lstm.c = 38;
  const ir::ValueId backwards =
      add_lstm(op, lstm, {.x = operands.backwards, .time = time, .backwards = true});
  output_both(op, forwards, backwards, options.merge());
}

}  // namespace skiff::convert::tfl
