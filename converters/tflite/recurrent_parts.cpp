#include "converters/tflite/recurrence.h"

namespace skiff::convert::tfl {

Stepped add_rnn(Operation& op, fb::RnnAttrsT attrs, const Sequence& sequence,
                const std::vector<ir::ValueId>& weights) {
  const Shape x = op.shape_of(sequence.x);
  const std::int64_t batch = x[1 - sequence.time], hidden = op.shape_of(weights[1])[2];
  attrs.hidden_size = hidden;
  attrs.batch_first = sequence.time == 1;
  attrs.direction = sequence.backwards ? fb::RnnDirection::reverse : fb::RnnDirection::forward;
  const Shape state = attrs.batch_first ? Shape{batch, 1, hidden} : Shape{1, batch, hidden};
  std::vector<ir::ValueId> inputs = {sequence.x, weights[0], weights[1], weights[2], ir::kAbsent};
  for (ir::ValueId first : sequence.states) inputs.push_back(op.reshape(first, state));
  inputs.insert(inputs.end(), weights.begin() + 3, weights.end());
  const ir::NodeId node =
      op.add_node(fb::OpKind::rnn, std::move(attrs), std::move(inputs), 1 + sequence.states.size());
  const std::vector<ir::ValueId> outputs = op.graph().node(node).outputs;
  Stepped result{.y = op.reshape(outputs[0], Shape{x[0], x[1], hidden})};
  for (std::size_t i = 1; i < outputs.size(); ++i)
    result.states.push_back(op.reshape(outputs[i], Shape{batch, hidden}));
  return result;
}

ir::ValueId first_state(Operation& op, int i, const Shape& shape) {
  const ir::ValueId held = op.state(i, shape);
  if (held != ir::kAbsent) return held;
  const auto count = static_cast<std::size_t>(shape.elements());
  op.charge(static_cast<std::int64_t>(count) * 4);
  return op.constant(shape, std::vector<float>(count, 0.0F));
}

ir::ValueId concat(Operation& op, std::vector<ir::ValueId> parts, std::int64_t axis) {
  if (parts.size() == 1) return parts[0];
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return op.add(fb::OpKind::concat, attrs, std::move(parts));
}

ir::ValueId stack_matrices(Operation& op, std::vector<ir::ValueId> parts) {
  for (ir::ValueId part : parts)
    op.check(op.shape_of(part).rank() == 2, "weights of shape ", op.shape_of(part));
  const ir::ValueId all = concat(op, std::move(parts), 0);
  return op.reshape(all, Shape{1, op.shape_of(all)[0], op.shape_of(all)[1]});
}

ir::ValueId stack_vectors(Operation& op, std::vector<ir::ValueId> parts) {
  const ir::ValueId all = concat(op, std::move(parts), 0);
  return op.reshape(all, Shape{1, op.shape_of(all).elements()});
}

ir::ValueId stack_biases(Operation& op, std::vector<ir::ValueId> parts) {
  std::int64_t count = 0;
  for (ir::ValueId part : parts) count += op.shape_of(part).elements();
  op.charge(count * 4);
  parts.push_back(
      op.constant(Shape{count}, std::vector<float>(static_cast<std::size_t>(count), 0.0F)));
  return stack_vectors(op, std::move(parts));
}

ir::ValueId product(Operation& op, ir::ValueId x, ir::ValueId w, ir::ValueId b) {
  fb::MatMulAttrsT attrs;
  attrs.transpose_b = true;
  std::vector<ir::ValueId> inputs = {x, w};
  if (b != ir::kAbsent) inputs.push_back(op.reshape(b, Shape{op.shape_of(b).elements()}));
  return op.add(fb::OpKind::matmul, attrs, std::move(inputs));
}

ir::ValueId activated(Operation& op, ir::ValueId x, tflite::Activation activation) {
  const FusedActivation fused = fused_activation(activation);
  return fused.function == fb::UnaryFunction::none
             ? x
             : op.unary(fused.function, x, fused.alpha, fused.beta);
}

BothWays operands_of_both(Operation& op, int auxiliary, int weights) {
  const ir::ValueId x = op.in(0);
  if (!op.has(auxiliary)) return {x, x, false};
  const ir::ValueId other = op.in(auxiliary);
  if (!op.has(weights)) return {x, other, false};
  const ir::ValueId both = concat(op, {x, other}, 2);
  return {both, both, true};
}

void output_both(Operation& op, ir::ValueId forwards, ir::ValueId backwards, bool merge) {
  if (merge) return op.output(concat(op, {forwards, backwards}, 2));
  op.output(forwards, 0);
  op.output(backwards, 1);
}

}  // namespace skiff::convert::tfl
