#include "converters/tflite/lstm.h"

namespace skiff::convert::tfl {
namespace {

using Binary = fb::BinaryFunction;

/// Of the normalisation; the format has no number for it.
constexpr float kEpsilon = 1e-8F;

/// A vector of weights as a diagonal matrix.
ir::ValueId diagonal(Operation& op, ir::ValueId vector) {
  const std::int64_t n = op.shape_of(vector)[0];
  op.check(n < (1 << 15), "a diagonal of ", n);
  std::vector<float> one(static_cast<std::size_t>(n * n), 0.0F);
  op.charge(n * n * 4);
  for (std::int64_t i = 0; i < n; ++i) one[static_cast<std::size_t>(i * n + i)] = 1;
  return op.binary(Binary::mul, op.constant(Shape{n, n}, one), vector);
}

/// The cell with its weights as values of op's graph.
class Cell {
 public:
  Cell(Operation& op, const Lstm& lstm) : op_(op), lstm_(lstm), coupled_(is_coupled(op, lstm)) {
    std::vector<ir::ValueId> rows, biases;
    for (int gate = coupled_ ? kForgetGate : kInputGate; gate <= kOutputGate; ++gate) {
      rows.push_back(
          concat(op, {input_weights(op, lstm, gate), recurrent_weights(op, lstm, gate)}, 1));
      biases.push_back(bias_[gate] = op.in(lstm.bias(gate)));
      if (has_norm(op, lstm)) scale_[gate] = op.in(lstm.norm + gate);
      if (gate != kCellGate) peephole_[gate] = op.in_or_absent(lstm.peephole(gate));
    }
    hidden_ = op.shape_of(rows[0])[0];
    weights_ = concat(op, std::move(rows), 0);
    if (!has_norm(op, lstm)) biases_ = concat(op, std::move(biases), 0);
    projection_ = op.in_or_absent(lstm.projection());
    projection_bias_ = op.in_or_absent(lstm.projection_bias());
  }

  Stepped step(ir::ValueId x, const std::vector<ir::ValueId>& states) const {
    const ir::ValueId sums = product(op_, concat(op_, {x, states[0]}, 1), weights_, biases_);
    ir::ValueId c = states[1];
    const ir::ValueId forget = sigmoid(gate(sums, kForgetGate, c));
    const ir::ValueId input =
        coupled_ ? op_.binary(Binary::sub, one(), forget) : sigmoid(gate(sums, kInputGate, c));
    const ir::ValueId fresh = activated(op_, gate(sums, kCellGate, c), lstm_.activation);
    c = op_.binary(Binary::add, op_.binary(Binary::mul, forget, c),
                   op_.binary(Binary::mul, input, fresh));
    c = clipped(c, lstm_.cell_clip);
    const ir::ValueId output = sigmoid(gate(sums, kOutputGate, c));
    ir::ValueId h = op_.binary(Binary::mul, output, activated(op_, c, lstm_.activation));
    if (projection_ != ir::kAbsent)
      h = clipped(product(op_, h, projection_, projection_bias_), lstm_.proj_clip);
    return {h, {h, c}};
  }

 private:
  Operation& op_;
  Lstm lstm_;
  bool coupled_;
  std::int64_t hidden_ = 0;
  ir::ValueId weights_ = ir::kAbsent, biases_ = ir::kAbsent;  ///< of all gates
  ir::ValueId projection_ = ir::kAbsent, projection_bias_ = ir::kAbsent;
  ir::ValueId bias_[4] = {}, scale_[4] = {ir::kAbsent, ir::kAbsent, ir::kAbsent, ir::kAbsent},
              peephole_[4] = {ir::kAbsent, ir::kAbsent, ir::kAbsent, ir::kAbsent};

  /// What goes into the gate's activation.
  ir::ValueId gate(ir::ValueId sums, int which, ir::ValueId c) const {
    const std::int64_t place = coupled_ ? which - 1 : which;
    ir::ValueId sum = op_.slice(sums, {0, place * hidden_}, {op_.shape_of(sums)[0], hidden_});
    if (peephole_[which] != ir::kAbsent)
      sum = op_.binary(Binary::add, sum, op_.binary(Binary::mul, c, peephole_[which]));
    if (scale_[which] == ir::kAbsent) return sum;
    fb::NormAttrsT attrs;
    attrs.axis = 1;
    attrs.epsilon = kEpsilon;
    return op_.add(fb::OpKind::layer_norm, attrs, {sum, scale_[which], bias_[which]});
  }

  ir::ValueId one() const { return op_.constant<float>(Shape(), {1}); }
  ir::ValueId sigmoid(ir::ValueId x) const { return op_.unary(fb::UnaryFunction::sigmoid, x); }
  ir::ValueId clipped(ir::ValueId x, float limit) const {
    return limit > 0 ? op_.unary(fb::UnaryFunction::clip, x, -limit, limit) : x;
  }
};

}  // namespace

bool has_norm(const Operation& op, const Lstm& lstm) noexcept {
  return lstm.norm >= 0 && op.has(lstm.norm + kForgetGate);
}

ir::ValueId input_weights(Operation& op, const Lstm& lstm, int gate) {
  const ir::ValueId w = op.in(lstm.input_weights(gate));
  return lstm.auxiliary < 0 ? w : concat(op, {w, op.in(lstm.auxiliary + gate)}, 1);
}

ir::ValueId recurrent_weights(Operation& op, const Lstm& lstm, int gate) {
  const ir::ValueId r = op.in(lstm.recurrent_weights(gate));
  return op.shape_of(r).rank() == 1 ? diagonal(op, r) : r;
}

Step make_lstm_step(Operation& op, const Lstm& lstm) {
  return [cell = Cell(op, lstm)](ir::ValueId x, const std::vector<ir::ValueId>& states) {
    return cell.step(x, states);
  };
}

}  // namespace skiff::convert::tfl
