#include "converters/tflite/importer.h"
#include "runtime/core/checked.h"

// States of recurrent operators. The format keeps them in tensors that last from call to call; here
// they are variables.
namespace skiff::convert::tfl {
namespace {

std::vector<int> state_operands(tflite::Builtin builtin) {
  switch (builtin) {
    case tflite::Builtin::RNN:
    case tflite::Builtin::UNIDIRECTIONAL_SEQUENCE_RNN:
    case tflite::Builtin::SVDF:
      return {4};
    case tflite::Builtin::BIDIRECTIONAL_SEQUENCE_RNN:
      return {4, 8};
    case tflite::Builtin::LSTM:
    case tflite::Builtin::UNIDIRECTIONAL_SEQUENCE_LSTM:
      return {18, 19};
    case tflite::Builtin::BIDIRECTIONAL_SEQUENCE_LSTM:
      return {35, 36, 37, 38};
    default:
      return {};
  }
}

bool is_input(const Model& model, int tensor) {
  for (std::int64_t input : to_list(model.main().inputs()))
    if (input == tensor) return true;
  return false;
}

}  // namespace

std::vector<int> state_tensors(const Model& model, const tflite::Operator& op) {
  std::vector<int> tensors;
  const std::vector<std::int64_t> inputs = to_list(op.inputs());
  for (int operand : state_operands(model.builtin(op))) {
    if (operand >= static_cast<int>(inputs.size())) break;
    const auto tensor = static_cast<int>(inputs[static_cast<std::size_t>(operand)]);
    if (tensor >= 0 && model.tensor(tensor).is_variable() && !is_input(model, tensor))
      tensors.push_back(tensor);
  }
  return tensors;
}

std::string state_key(const Model& model, int tensor) {
  return message("tensor ", tensor, " of graph ", model.number());
}

ir::ValueId Operation::state(int i, const Shape& shape) {
  check(checked_bytes(DType::float64, shape).has_value(), "a state of shape ", shape);
  if (!has(i)) return ir::kAbsent;
  const int variable = importer_.find_variable(state_key(importer_.model(), tensor_of_input(i)));
  if (variable < 0) return reshape(in(i), shape);
  importer_.declare(variable, shape);
  return importer_.current(variable);
}

void Operation::keep(int i, ir::ValueId next) {
  if (!has(i)) return;
  const int variable = importer_.find_variable(state_key(importer_.model(), tensor_of_input(i)));
  if (variable >= 0) importer_.assign(variable, next);
}

}  // namespace skiff::convert::tfl
