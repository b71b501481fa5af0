#include "converters/tflite/imports.h"
#include "converters/tflite/recurrence.h"

// Recurrent layers without gates: h = activation(w x + r h + b).
namespace skiff::convert::tfl {
namespace {

/// One direction; operands by number.
struct Layer {
  int weights = 1;     ///< w [H, I], then r [H, H] and bias [H]
  int state = 4;       ///< [B, H]
  int auxiliary = -1;  ///< weights of what stands behind x; -1: nothing does
  tflite::Activation activation = tflite::Activation::none;
};

ir::ValueId input_weights(Operation& op, const Layer& layer) {
  if (layer.auxiliary < 0) return op.in(layer.weights);
  return concat(op, {op.in(layer.weights), op.in(layer.auxiliary)}, 1);
}

Step make_step(Operation& op, const Layer& layer) {
  const ir::ValueId w = concat(op, {input_weights(op, layer), op.in(layer.weights + 1)}, 1),
                    b = op.in(layer.weights + 2);
  return [&op, w, b, activation = layer.activation](ir::ValueId x,
                                                    const std::vector<ir::ValueId>& states) {
    const ir::ValueId sum = product(op, concat(op, {x, states[0]}, 1), w, b),
                      h = activated(op, sum, activation);
    return Stepped{h, {h}};
  };
}

/// y of all steps; the state is kept.
ir::ValueId add_layer(Operation& op, const Layer& layer, Sequence sequence) {
  op.check(op.shape_of(sequence.x).rank() == 3 && op.shape(layer.weights).rank() == 2,
           "operands of shapes ", op.shape_of(sequence.x), " and ", op.shape(layer.weights));
  const Shape x = op.shape_of(sequence.x);
  sequence.states = {
      first_state(op, layer.state, {x[1 - sequence.time], op.shape(layer.weights)[0]})};
  const bool tanh = layer.activation == tflite::Activation::tanh;
  Stepped result;
  if (tanh || layer.activation == tflite::Activation::relu) {
    fb::RnnAttrsT attrs;
    attrs.kind = fb::RnnKind::rnn;
    if (!tanh) attrs.activations = {fb::UnaryFunction::relu};
    result = add_rnn(op, attrs, sequence,
                     {stack_matrices(op, {input_weights(op, layer)}),
                      stack_matrices(op, {op.in(layer.weights + 1)}),
                      stack_biases(op, {op.in(layer.weights + 2)})});
  } else {
    std::vector<int> operands = {layer.weights, layer.weights + 1, layer.weights + 2};
    if (layer.auxiliary >= 0) operands.push_back(layer.auxiliary);
    result = recur(op, sequence, operands, [&](Operation& at) { return make_step(at, layer); });
  }
  op.keep(layer.state, result.states[0]);
  return result.y;
}

}  // namespace

/// Operands: x [B, I], w, r, bias, state.
void import_rnn(Operation& op) {
  const Shape x = op.shape(0);
  op.check(x.rank() == 2, "operand of shape ", x);
  const ir::ValueId y = add_layer(op, {.activation = op.options<tflite::Rnn>().activation()},
                                  {.x = op.reshape(op.in(0), Shape{1, x[0], x[1]})});
  op.output(op.reshape(y, Shape{x[0], op.shape_of(y)[2]}));
}

void import_sequence_rnn(Operation& op) {
  const auto& options = op.options<tflite::SequenceRnn>();
  op.output(add_layer(op, {.activation = options.activation()},
                      {.x = op.in(0), .time = options.time_major() ? 0 : 1}));
}

/// Operands: x, w, r, bias, state forwards, the same backwards, what stands beside x and its
/// weights for both directions.
void import_both_ways_rnn(Operation& op) {
  const auto& options = op.options<tflite::BothWaysRnn>();
  const BothWays operands = operands_of_both(op, 9, 10);
  const int time = options.time_major() ? 0 : 1;
  const auto auxiliary = [&](int i) { return operands.joined ? i : -1; };
  const ir::ValueId forwards =
      add_layer(op, {.auxiliary = auxiliary(10), .activation = options.activation()},
                {.x = operands.forwards, .time = time});
  const ir::ValueId backwards = add_layer(
      op,
      {.weights = 5, .state = 8, .auxiliary = auxiliary(11), .activation = options.activation()},
      {.x = operands.backwards, .time = time, .backwards = true});
  output_both(op, forwards, backwards, options.merge());
}

}  // namespace skiff::convert::tfl
