#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Recurrent layers: operands and gate order are ONNX's own.
namespace skiff::onnx {
namespace {

fb::UnaryFunction activation(const Op& op, const std::string& name) {
  constexpr std::pair<std::string_view, fb::UnaryFunction> kNames[] = {
      {"Relu", fb::UnaryFunction::relu},
      {"Tanh", fb::UnaryFunction::tanh},
      {"Sigmoid", fb::UnaryFunction::sigmoid},
      {"LeakyRelu", fb::UnaryFunction::leaky_relu},
      {"ThresholdedRelu", fb::UnaryFunction::thresholded_relu},
      {"HardSigmoid", fb::UnaryFunction::hard_sigmoid},
      {"Elu", fb::UnaryFunction::elu},
      {"Softsign", fb::UnaryFunction::softsign},
      {"Softplus", fb::UnaryFunction::softplus}};
  for (const auto& [text, function] : kNames)
    if (name == text) return function;
  op.refuse("activation '" + name + "' is not known");
}

fb::RnnDirection direction(Op& op) {
  const std::string name = op.text("direction", "forward");
  if (name == "forward") return fb::RnnDirection::forward;
  if (name == "reverse") return fb::RnnDirection::reverse;
  op.check(name == "bidirectional", "direction is '", name, "'");
  return fb::RnnDirection::bidirectional;
}

template <fb::RnnKind kind>
void import_rnn(Op& op) {
  op.ignore({"output_sequence"});
  fb::RnnAttrsT attrs;
  attrs.kind = kind;
  attrs.direction = direction(op);
  op.check(op.rank(2) == 3, "the recurrent weights have the shape ", op.shape(2));
  attrs.hidden_size = op.integer("hidden_size", op.shape(2)[2]);
  for (const std::string& name : op.texts("activations"))
    attrs.activations.push_back(activation(op, name));
  attrs.activation_alpha = op.numbers("activation_alpha");
  attrs.activation_beta = op.numbers("activation_beta");
  attrs.clip = op.number("clip", 0);
  attrs.batch_first = op.flag("layout", false);
  if constexpr (kind == fb::RnnKind::gru)
    attrs.linear_before_reset = op.flag("linear_before_reset", false);
  if constexpr (kind == fb::RnnKind::lstm) attrs.input_forget = op.flag("input_forget", false);
  std::vector<ValueId> inputs;
  for (int i = 0; i < op.inputs(); ++i) inputs.push_back(op.in_or_absent(i));
  const auto outputs =
      op.b.add_many(fb::OpKind::rnn, attrs, std::move(inputs), kind == fb::RnnKind::lstm ? 3 : 2);
  for (std::size_t i = 0; i < outputs.size(); ++i) op.out(static_cast<int>(i), outputs[i]);
}

constexpr Adapter kAdapters[] = {
    {"GRU", {1, 3, 7, 14, 22}, import_rnn<fb::RnnKind::gru>},
    {"LSTM", {1, 7, 14, 22}, import_rnn<fb::RnnKind::lstm>},
    {"RNN", {1, 7, 14, 22}, import_rnn<fb::RnnKind::rnn>},
};

}  // namespace

std::span<const Adapter> rnn_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
