#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

FusedActivation unary_function(tflite::Builtin builtin) {
  using enum tflite::Builtin;
  using fb::UnaryFunction;
  switch (builtin) {
    case ABS:
      return {UnaryFunction::abs};
    case CEIL:
      return {UnaryFunction::ceil};
    case COS:
      return {UnaryFunction::cos};
    case ELU:
      return {UnaryFunction::elu, 1};
    case EXP:
      return {UnaryFunction::exp};
    case FLOOR:
      return {UnaryFunction::floor};
    case HARD_SWISH:
      return {UnaryFunction::hard_swish};
    case LOG:
      return {UnaryFunction::log};
    case LOGICAL_NOT:
      return {UnaryFunction::logical_not};
    case LOGISTIC:
      return {UnaryFunction::sigmoid};
    case NEG:
      return {UnaryFunction::neg};
    case RELU:
      return {UnaryFunction::relu};
    case RELU6:
      return {UnaryFunction::clip, 0, 6};
    case RELU_N1_TO_1:
      return {UnaryFunction::clip, -1, 1};
    case RELU_0_TO_1:
      return {UnaryFunction::clip, 0, 1};
    case ROUND:
      return {UnaryFunction::round};
    case RSQRT:
      return {UnaryFunction::rsqrt};
    case SIGN:
      return {UnaryFunction::sign};
    case SIN:
      return {UnaryFunction::sin};
    case SQRT:
      return {UnaryFunction::sqrt};
    case SQUARE:
      return {UnaryFunction::square};
    case TANH:
      return {UnaryFunction::tanh};
    default:
      fail(ErrorCode::internal, "no unary function");
  }
}

fb::BinaryFunction binary_function(tflite::Builtin builtin) {
  using enum tflite::Builtin;
  using fb::BinaryFunction;
  switch (builtin) {
    case ADD:
      return BinaryFunction::add;
    case SUB:
      return BinaryFunction::sub;
    case MUL:
      return BinaryFunction::mul;
    case DIV:
      return BinaryFunction::div;
    case MAXIMUM:
      return BinaryFunction::maximum;
    case MINIMUM:
      return BinaryFunction::minimum;
    case POW:
      return BinaryFunction::pow;
    case SQUARED_DIFFERENCE:
      return BinaryFunction::squared_difference;
    case FLOOR_DIV:
      return BinaryFunction::floor_div;
    case FLOOR_MOD:
      return BinaryFunction::mod;
    case PRELU:
      return BinaryFunction::prelu;
    case ATAN2:
      return BinaryFunction::atan2;
    case EQUAL:
      return BinaryFunction::equal;
    case NOT_EQUAL:
      return BinaryFunction::not_equal;
    case LESS:
      return BinaryFunction::less;
    case LESS_EQUAL:
      return BinaryFunction::less_equal;
    case GREATER:
      return BinaryFunction::greater;
    case GREATER_EQUAL:
      return BinaryFunction::greater_equal;
    case LOGICAL_AND:
      return BinaryFunction::logical_and;
    case LOGICAL_OR:
      return BinaryFunction::logical_or;
    case BITWISE_XOR:
      return BinaryFunction::bitwise_xor;
    case RIGHT_SHIFT:
      return BinaryFunction::shift_right;
    default:
      fail(ErrorCode::internal, "no binary function");
  }
}

FusedActivation binary_activation(const Operation& op) {
  switch (op.builtin()) {
    case tflite::Builtin::ADD:
      return fused_activation(op.options<tflite::Add>().activation());
    case tflite::Builtin::SUB:
      return fused_activation(op.options<tflite::Sub>().activation());
    case tflite::Builtin::MUL:
      return fused_activation(op.options<tflite::Mul>().activation());
    case tflite::Builtin::DIV:
      return fused_activation(op.options<tflite::Div>().activation());
    default:
      return {};
  }
}

}  // namespace

void import_unary(Operation& op) {
  const FusedActivation function = unary_function(op.builtin());
  op.output(op.unary(function.function, op.in(0), function.alpha, function.beta));
}

void import_binary(Operation& op) {
  const FusedActivation activation = binary_activation(op);
  fb::BinaryAttrsT attrs;
  attrs.function = binary_function(op.builtin());
  attrs.activation = activation.function;
  attrs.alpha = activation.alpha;
  attrs.beta = activation.beta;
  op.output(op.add(fb::OpKind::binary, attrs, {op.in(0), op.in(1)}));
}

void import_leaky_relu(Operation& op) {
  const float slope = op.options<tflite::LeakyRelu>().alpha();
  op.output(op.unary(fb::UnaryFunction::leaky_relu, op.in(0), slope));
}

void import_gelu(Operation& op) {
  const bool approximate = op.options<tflite::Gelu>().approximate();
  op.output(
      op.unary(approximate ? fb::UnaryFunction::gelu_tanh : fb::UnaryFunction::gelu_erf, op.in(0)));
}

void import_add_n(Operation& op) {
  ir::ValueId sum = op.in(0);
  for (int i = 1; i < op.input_count(); ++i)
    sum = op.binary(fb::BinaryFunction::add, sum, op.in(i));
  op.output(sum);
}

void import_cast(Operation& op) { op.output(op.cast(op.in(0), op.output_dtype(0))); }

/// Of constants alone: halves become floats; what was quantised already came as floats.
void import_dequantize(Operation& op) { op.output(op.cast(op.in(0), DType::float32)); }

void import_identity(Operation& op) { op.output(op.in(0)); }

/// SELECT's condition of rank 1 chooses whole rows; else all three broadcast.
void import_select(Operation& op) {
  ir::ValueId condition = op.in(0);
  const int rank = op.shape(1).rank();
  if (op.builtin() == tflite::Builtin::SELECT && op.shape(0).rank() == 1 && rank > 1) {
    Shape rows{op.shape(0)[0]};
    while (rows.rank() < rank) rows.push_back(1);
    condition = op.reshape(condition, rows);
  }
  op.output(op.add(fb::OpKind::where, {}, {condition, op.in(1), op.in(2)}));
}

}  // namespace skiff::convert::tfl
