#include "converters/tflite/imports.h"

// Recurrent layers over a whole sequence. Their state tensors start at zero; the format's
// interpreter keeps them from one call to the next until it is told to reset them, the imported
// layer starts every run afresh.
namespace skiff::convert::tfl {
namespace {

ir::ValueId concat(Operation& op, std::vector<ir::ValueId> parts, std::int64_t axis) {
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return op.add(fb::OpKind::concat, attrs, std::move(parts));
}

/// Matrices of the gates, one below the other, as [1, gates * H, columns].
ir::ValueId stack_matrices(Operation& op, std::initializer_list<int> operands) {
  std::vector<ir::ValueId> parts;
  for (int operand : operands) {
    op.check(op.shape(operand).rank() == 2, "weights of shape ", op.shape(operand));
    parts.push_back(op.in(operand));
  }
  const ir::ValueId all = parts.size() == 1 ? parts[0] : concat(op, std::move(parts), 0);
  const Shape shape = op.shape_of(all);
  return op.reshape(all, Shape{1, shape[0], shape[1]});
}

/// Vectors of the gates, one behind the other, as [1, n].
ir::ValueId stack_vectors(Operation& op, std::vector<ir::ValueId> parts) {
  const ir::ValueId all = parts.size() == 1 ? parts[0] : concat(op, std::move(parts), 0);
  return op.reshape(all, Shape{1, op.shape_of(all).elements()});
}

/// Biases of the gates; the recurrent half, which the format lacks, is zero.
ir::ValueId stack_biases(Operation& op, std::initializer_list<int> operands, std::int64_t hidden) {
  const std::size_t count = operands.size() * static_cast<std::size_t>(hidden);
  op.charge(static_cast<std::int64_t>(count) * 4);
  std::vector<ir::ValueId> parts;
  for (int operand : operands) parts.push_back(op.in(operand));
  parts.push_back(
      op.constant<float>(Shape{static_cast<std::int64_t>(count)}, std::vector<float>(count, 0.0F)));
  return stack_vectors(op, std::move(parts));
}

/// y with its axis of directions taken out: [B, T, H], or [T, B, H] when time comes first.
void add_rnn(Operation& op, fb::RnnAttrsT attrs, std::vector<ir::ValueId> inputs) {
  const Shape x = op.shape(0);
  op.check(x.rank() == 3, "operand of shape ", x);
  const ir::ValueId y = op.add(fb::OpKind::rnn, attrs, std::move(inputs));
  op.output(op.reshape(y, Shape{x[0], x[1], attrs.hidden_size}));
}

fb::UnaryFunction cell_function(const Operation& op, tflite::Activation activation) {
  switch (activation) {
    case tflite::Activation::none:
      return fb::UnaryFunction::none;
    case tflite::Activation::relu:
      return fb::UnaryFunction::relu;
    case tflite::Activation::tanh:
      return fb::UnaryFunction::tanh;
    default:
      op.refuse("its activation ", static_cast<int>(activation), " is not supported");
  }
}

// Operands of UNIDIRECTIONAL_SEQUENCE_LSTM, gates in the order input, forget, cell, output.
constexpr int kInputWeights = 1, kRecurrentWeights = 5, kPeephole = 9, kBias = 12, kProjection = 16,
              kLayerNorm = 20, kLayerNormEnd = 24;

void refuse_variants(Operation& op, const tflite::SequenceLstm& options) {
  if (!op.has(kInputWeights)) op.refuse("its input gate is coupled to its forget gate");
  if (op.has(kProjection) || op.has(kProjection + 1)) op.refuse("it projects its state");
  for (int i = kLayerNorm; i < kLayerNormEnd; ++i)
    if (op.has(i)) op.refuse("its gates are normalised");
  if (options.activation() != tflite::Activation::tanh) op.refuse("its activation is not tanh");
  // A cell grows by less than 1 a step, so the limit is out of reach for short sequences. Beyond 8
  // its tanh is 1 to 2e-7, and limits that large are there for quantisation alone.
  const Shape x = op.shape(0);
  const auto steps = static_cast<float>(options.time_major() ? x[0] : x[1]);
  const float limit = options.cell_clip();
  if (limit != 0 && limit < 8 && steps > limit) op.refuse("its cells are clipped to ", limit);
}

}  // namespace

/// Operands: x, w [H, I], r [H, H], bias [H], state.
void import_sequence_rnn(Operation& op) {
  const auto& options = op.options<tflite::SequenceRnn>();
  fb::RnnAttrsT attrs;
  attrs.kind = fb::RnnKind::rnn;
  attrs.batch_first = !options.time_major();
  attrs.activations = {cell_function(op, options.activation())};
  if (attrs.activations[0] == fb::UnaryFunction::none) op.refuse("it has no activation");
  const ir::ValueId w = stack_matrices(op, {1});
  attrs.hidden_size = op.shape_of(w)[1];
  const ir::ValueId r = stack_matrices(op, {2});
  add_rnn(op, attrs, {op.in(0), w, r, stack_biases(op, {3}, attrs.hidden_size)});
}

/// The rnn operator orders gates input, output, forget, cell.
void import_sequence_lstm(Operation& op) {
  const auto& options = op.options<tflite::SequenceLstm>();
  op.check(op.shape(0).rank() == 3, "operand of shape ", op.shape(0));
  refuse_variants(op, options);
  fb::RnnAttrsT attrs;
  attrs.kind = fb::RnnKind::lstm;
  attrs.batch_first = !options.time_major();
  const ir::ValueId w =
      stack_matrices(op, {kInputWeights, kInputWeights + 3, kInputWeights + 1, kInputWeights + 2});
  const ir::ValueId r = stack_matrices(
      op, {kRecurrentWeights, kRecurrentWeights + 3, kRecurrentWeights + 1, kRecurrentWeights + 2});
  attrs.hidden_size = op.shape_of(w)[1] / 4;
  const ir::ValueId b =
      stack_biases(op, {kBias, kBias + 3, kBias + 1, kBias + 2}, attrs.hidden_size);
  std::vector<ir::ValueId> inputs = {op.in(0), w, r, b};
  if (op.has(kPeephole)) {
    inputs.insert(inputs.end(), {ir::kAbsent, ir::kAbsent, ir::kAbsent});
    inputs.push_back(
        stack_vectors(op, {op.in(kPeephole), op.in(kPeephole + 2), op.in(kPeephole + 1)}));
  }
  add_rnn(op, attrs, std::move(inputs));
}

}  // namespace skiff::convert::tfl
