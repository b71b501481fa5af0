#include "runtime/ops/rnn.h"

#include <cmath>

#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

using F = fb::UnaryFunction;

bool known_activation(F f) noexcept {
  return f == F::relu || f == F::tanh || f == F::sigmoid || f == F::leaky_relu ||
         f == F::thresholded_relu || f == F::hard_sigmoid || f == F::elu || f == F::softsign ||
         f == F::softplus;
}

void check_activations(const NodeView& node, const RnnGeometry& g) {
  const auto& attrs = node.attrs<fb::RnnAttrs>();
  const auto count = static_cast<unsigned>(g.directions) * static_cast<unsigned>(g.activations);
  const auto size = [](const auto* field) { return field == nullptr ? 0u : field->size(); };
  check(node, size(attrs.activations()) == 0 || size(attrs.activations()) == count,
        "activations has ", size(attrs.activations()), " entries, needs ", count);
  for (unsigned i = 0; i < size(attrs.activations()); ++i)
    check(node, known_activation(static_cast<F>(attrs.activations()->Get(i))), "activation ",
          static_cast<int>(attrs.activations()->Get(i)), " is not one of a recurrent layer");
  check(node, size(attrs.activation_alpha()) <= count && size(attrs.activation_beta()) <= count,
        "there are more parameters of activations than activations");
  check(node, attrs.clip() >= 0, "clip is ", attrs.clip(), ", must not be negative");
}

void check_operand(const NodeView& node, int input, DType dtype, const Shape& shape) {
  if (!node.has_input(input)) return;
  check(node, node.input(input).dtype == dtype, "input ", input, " is ", node.input(input).dtype,
        ", must be ", dtype);
  check(node, node.input(input).shape == shape, "input ", input, " has shape ",
        node.input(input).shape, ", must be ", shape);
}

void check_operands(const NodeView& node, const RnnGeometry& g) {
  const DType dtype = node.input(0).dtype;
  const std::int64_t rows = g.gates * g.hidden;  // hidden is an extent: at most 2^46
  const Shape state = node.attrs<fb::RnnAttrs>().batch_first()
                          ? Shape{g.batch, g.directions, g.hidden}
                          : Shape{g.directions, g.batch, g.hidden};
  check_operand(node, 1, dtype, {g.directions, rows, g.inputs});
  check_operand(node, 2, dtype, {g.directions, rows, g.hidden});
  check_operand(node, 3, dtype, {g.directions, 2 * rows});
  if (node.has_input(4)) {
    check_index_dtype(node, node.input(4));
    check_operand(node, 4, node.input(4).dtype, {g.batch});
  }
  check_operand(node, 5, dtype, state);
  check_operand(node, 6, dtype, state);
  check_operand(node, 7, dtype, {g.directions, 3 * g.hidden});
}

}  // namespace

RnnGeometry rnn_geometry(const NodeView& node) noexcept {
  const auto& attrs = node.attrs<fb::RnnAttrs>();
  const Shape& x = node.input(0).shape;
  const int kind = static_cast<int>(attrs.kind());
  constexpr std::int64_t kGates[] = {1, 3, 4};
  return {.steps = x[attrs.batch_first() ? 1 : 0],
          .batch = x[attrs.batch_first() ? 0 : 1],
          .inputs = x[2],
          .hidden = attrs.hidden_size(),
          .directions = attrs.direction() == fb::RnnDirection::bidirectional ? 2 : 1,
          .gates = kGates[kind],
          .activations = kind + 1};
}

/// Outputs: y of every step, h and (lstm) c after the last.
void infer_rnn(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const auto& attrs = node.attrs<fb::RnnAttrs>();
  check(node, attrs.kind() <= fb::RnnKind::MAX && attrs.direction() <= fb::RnnDirection::MAX,
        "kind or direction is unknown");
  check(node, x.shape.rank() == 3 && node.input(2).shape.rank() == 3,
        "operand and recurrent weights need three axes, have ", x.shape, " and ",
        node.input(2).shape);
  check(node, attrs.hidden_size() == node.input(2).shape[2], "hidden_size is ", attrs.hidden_size(),
        ", recurrent weights have ", node.input(2).shape[2]);
  const bool lstm = attrs.kind() == fb::RnnKind::lstm;
  check(node,
        lstm || (!node.has_input(6) && !node.has_input(7) && outputs.size() <= 2 &&
                 attrs.cell_clip() == 0),
        "only lstm has a cell");
  check(node, attrs.cell_clip() >= 0 && std::isfinite(attrs.cell_clip()), "cell_clip is ",
        attrs.cell_clip(), ", must be finite and not negative");
  const RnnGeometry g = rnn_geometry(node);
  check_activations(node, g);
  check_operands(node, g);
  const Shape state = attrs.batch_first() ? Shape{g.batch, g.directions, g.hidden}
                                          : Shape{g.directions, g.batch, g.hidden};
  for (TensorInfo& output : outputs) {
    output.dtype = x.dtype;
    output.shape = state;
  }
  outputs[0].shape = attrs.batch_first() ? Shape{g.batch, g.steps, g.directions, g.hidden}
                                         : Shape{g.steps, g.directions, g.batch, g.hidden};
}

}  // namespace skiff
