#include <limits>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Operators on each element, with numpy broadcasting.
namespace skiff::onnx {
namespace {

using B = fb::BinaryFunction;
using U = fb::UnaryFunction;

bool is_float(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16 ||
         dtype == DType::float64;
}

template <U f>
void import_unary(Op& op) {
  op.ignore({"consumed_inputs"});
  op.out(op.b.unary(f, op.in(0)));
}

/// The second operand. Before opset 7 it was placed at `axis` of the first one, if `broadcast`.
ValueId second(Op& op) {
  const ValueId b = op.in(1);
  op.ignore({"consumed_inputs"});
  if (op.version >= 7) return b;
  const bool broadcast = op.flag("broadcast", false);
  const std::int64_t axis = op.integer("axis", -1);
  if (!broadcast || !op.has_attr("axis")) return b;
  const int from = op.axis(axis, op.rank(0));
  Shape to = op.b.shape(b);
  op.check(from + to.rank() <= op.rank(0), "operands of shape ", op.shape(0), " and ", to,
           " do not broadcast from axis ", from, " on");
  while (from + to.rank() < op.rank(0)) to.push_back(1);
  return op.b.reshape(b, to);
}

template <B f>
void import_binary(Op& op) {
  op.out(op.b.binary(f, op.in(0), second(op)));
}

void import_mod(Op& op) {
  const bool c_sign = op.flag("fmod", false);
  op.out(op.b.binary(c_sign ? B::fmod : B::mod, op.in(0), op.in(1)));
}

void import_pow(Op& op) {
  const ValueId x = op.in(0);
  ValueId exponent = second(op);
  const DType dtype = op.b.dtype(x), other = op.b.dtype(exponent);
  if (dtype == other || is_float(dtype)) {
    op.out(op.b.binary(B::pow, x, op.b.cast(exponent, dtype)));
    return;
  }
  // A whole base and a broken exponent: computed broken, cut at the end.
  const DType broken = is_float(other) ? other : DType::float64;
  const ValueId y = op.b.binary(B::pow, op.b.cast(x, broken), op.b.cast(exponent, broken));
  op.out(op.b.cast(y, dtype));
}

void import_bit_shift(Op& op) {
  const std::string direction = op.text("direction", "");
  op.check(direction == "LEFT" || direction == "RIGHT", "direction is '", direction,
           "', must be LEFT or RIGHT");
  op.out(op.b.binary(direction == "LEFT" ? B::shift_left : B::shift_right, op.in(0), op.in(1)));
}

void import_prelu(Op& op) {
  op.ignore({"consumed_inputs"});
  ValueId slope = op.in(1);
  if (op.version < 7 && op.rank(1) == 1 && op.rank(0) > 1)
    slope = op.b.per_channel(slope, op.rank(0));
  op.out(op.b.binary(B::prelu, op.in(0), slope));
}

template <B f>
void import_chain(Op& op) {
  op.ignore({"consumed_inputs"});
  ValueId result = op.in(0);
  for (int i = 1; i < op.inputs(); ++i) result = op.b.binary(f, result, op.in(i));
  op.out(result);
}

void import_mean(Op& op) {
  op.ignore({"consumed_inputs"});
  ValueId result = op.in(0);
  for (int i = 1; i < op.inputs(); ++i) result = op.b.binary(B::add, result, op.in(i));
  op.out(op.inputs() == 1 ? result : op.b.binary_number(B::div, result, op.inputs()));
}

/// min(max(x, low), high) with bounds that are absent, numbers or tensors.
void import_clip_inputs(Op& op) {
  ValueId x = op.in(0);
  const auto plain = [&](int i) { return !op.has(i) || op.b.known(op.in(i)); };
  if (is_float(op.b.dtype(x)) && plain(1) && plain(2)) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double low = op.has(1) ? op.known_number(1, "min") : -infinity;
    const double high = op.has(2) ? op.known_number(2, "max") : infinity;
    op.out(op.b.unary(U::clip, x, low, high));
    return;
  }
  if (op.has(1)) x = op.b.binary(B::maximum, x, op.in(1));
  if (op.has(2)) x = op.b.binary(B::minimum, x, op.in(2));
  op.out(x);
}

void import_clip(Op& op) {
  if (op.version >= 11) return import_clip_inputs(op);
  op.ignore({"consumed_inputs"});
  constexpr float limit = std::numeric_limits<float>::max();
  const float low = op.number("min", -limit), high = op.number("max", limit);
  op.out(op.b.unary(U::clip, op.in(0), low, high));
}

template <U f>
void import_alpha(Op& op) {
  op.ignore({"consumed_inputs"});
  constexpr float fallback = f == U::leaky_relu ? 0.01f : 1.0f;
  op.out(op.b.unary(f, op.in(0), op.number("alpha", fallback)));
}

void import_selu(Op& op) {
  op.ignore({"consumed_inputs"});
  const float alpha = op.number("alpha", op.version == 1 ? 1.6732f : 1.67326319217681884765625f);
  const float gamma = op.number("gamma", op.version == 1 ? 1.0507f : 1.05070102214813232421875f);
  op.out(op.b.unary(U::selu, op.in(0), alpha, gamma));
}

void import_hard_sigmoid(Op& op) {
  op.ignore({"consumed_inputs"});
  const float alpha = op.number("alpha", 0.2f), beta = op.number("beta", 0.5f);
  op.out(op.b.unary(U::hard_sigmoid, op.in(0), alpha, beta));
}

void import_shrink(Op& op) {
  const float bias = op.number("bias", 0), lambda = op.number("lambd", 0.5f);
  op.out(op.b.unary(U::shrink, op.in(0), bias, lambda));
}

void import_gelu(Op& op) {
  const std::string kind = op.text("approximate", "none");
  op.check(kind == "none" || kind == "tanh", "approximate is '", kind, "', must be none or tanh");
  op.out(op.b.unary(kind == "tanh" ? U::gelu_tanh : U::gelu_erf, op.in(0)));
}

void import_is_inf(Op& op) {
  const bool positive = op.flag("detect_positive", true);
  const bool negative = op.flag("detect_negative", true);
  op.out(op.b.unary(U::is_inf, op.in(0), positive, negative));
}

void import_where(Op& op) { op.out(op.b.where(op.in(0), op.in(1), op.in(2))); }

DType cast_target(Op& op) {
  if (op.version >= 6) return need_dtype(static_cast<int>(op.integer("to")), "the result");
  const std::string name = op.text("to", "");
  for (int type = 1; type < 17; ++type) {
    std::string upper = onnx_type_name(type);
    for (char& letter : upper) letter = static_cast<char>(letter - (letter >= 'a' ? 32 : 0));
    if (name == upper) return need_dtype(type, "the result");
  }
  op.refuse("to is '" + name + "', which is no element type");
}

void import_cast(Op& op) {
  op.ignore({"saturate", "round_mode"});  // of 8-bit floats only
  op.out(op.b.cast(op.in(0), cast_target(op)));
}

void import_cast_like(Op& op) {
  op.ignore({"saturate", "round_mode"});
  op.out(op.b.cast(op.in(0), op.dtype(1)));
}

void import_dropout(Op& op) {
  op.ignore({"consumed_inputs", "seed", "ratio"});
  bool training = op.version < 7 && !op.flag("is_test", false);
  if (op.version >= 12 && op.has(2)) training = op.known_integer(2, "training_mode") != 0;
  if (training && op.version >= 12) training = !op.has(1) || op.known_number(1, "ratio") != 0;
  op.check(!training, "it drops at random (training mode)");
  op.out(op.in(0));
  if (!op.wants(1)) return;
  const DType mask = op.version >= 10 ? DType::boolean : op.dtype(0);
  op.out(1, op.b.expand(op.b.scalar(mask, 1), op.shape(0)));
}

constexpr Adapter kAdapters[] = {
    {"Abs", {1, 6, 13}, import_unary<U::abs>},
    {"Acos", {7, 22}, import_unary<U::acos>},
    {"Acosh", {9, 22}, import_unary<U::acosh>},
    {"Add", {1, 6, 7, 13, 14}, import_binary<B::add>},
    {"And", {1, 7}, import_binary<B::logical_and>},
    {"Asin", {7, 22}, import_unary<U::asin>},
    {"Asinh", {9, 22}, import_unary<U::asinh>},
    {"Atan", {7, 22}, import_unary<U::atan>},
    {"Atanh", {9, 22}, import_unary<U::atanh>},
    {"BitShift", {11}, import_bit_shift},
    {"BitwiseAnd", {18}, import_binary<B::bitwise_and>},
    {"BitwiseNot", {18}, import_unary<U::bitwise_not>},
    {"BitwiseOr", {18}, import_binary<B::bitwise_or>},
    {"BitwiseXor", {18}, import_binary<B::bitwise_xor>},
    {"Cast", {1, 6, 9, 13, 19, 21, 23, 24, 25}, import_cast},
    {"CastLike", {15, 19, 21, 23, 24, 25}, import_cast_like},
    {"Ceil", {1, 6, 13}, import_unary<U::ceil>},
    {"Celu", {12}, import_alpha<U::celu>},
    {"Clip", {1, 6, 11, 12, 13}, import_clip},
    {"Cos", {7, 22}, import_unary<U::cos>},
    {"Cosh", {9, 22}, import_unary<U::cosh>},
    {"Div", {1, 6, 7, 13, 14}, import_binary<B::div>},
    {"Dropout", {1, 6, 7, 10, 12, 13, 22}, import_dropout},
    {"Elu", {1, 6, 22}, import_alpha<U::elu>},
    {"Equal", {1, 7, 11, 13, 19}, import_binary<B::equal>},
    {"Erf", {9, 13}, import_unary<U::erf>},
    {"Exp", {1, 6, 13}, import_unary<U::exp>},
    {"Floor", {1, 6, 13}, import_unary<U::floor>},
    {"Gelu", {20}, import_gelu},
    {"Greater", {1, 7, 9, 13}, import_binary<B::greater>},
    {"GreaterOrEqual", {12, 16}, import_binary<B::greater_equal>},
    {"HardSigmoid", {1, 6, 22}, import_hard_sigmoid},
    {"HardSwish", {14, 22}, import_unary<U::hard_swish>},
    {"IsInf", {10, 20}, import_is_inf},
    {"IsNaN", {9, 13, 20}, import_unary<U::is_nan>},
    {"LeakyRelu", {1, 6, 16}, import_alpha<U::leaky_relu>},
    {"Less", {1, 7, 9, 13}, import_binary<B::less>},
    {"LessOrEqual", {12, 16}, import_binary<B::less_equal>},
    {"Log", {1, 6, 13}, import_unary<U::log>},
    {"Max", {1, 6, 8, 12, 13}, import_chain<B::maximum>},
    {"Mean", {1, 6, 8, 13}, import_mean},
    {"Min", {1, 6, 8, 12, 13}, import_chain<B::minimum>},
    {"Mish", {18, 22}, import_unary<U::mish>},
    {"Mod", {10, 13}, import_mod},
    {"Mul", {1, 6, 7, 13, 14}, import_binary<B::mul>},
    {"Neg", {1, 6, 13}, import_unary<U::neg>},
    {"Not", {1}, import_unary<U::logical_not>},
    {"Or", {1, 7}, import_binary<B::logical_or>},
    {"PRelu", {1, 6, 7, 9, 16}, import_prelu},
    {"Pow", {1, 7, 12, 13, 15}, import_pow},
    {"Reciprocal", {1, 6, 13}, import_unary<U::reciprocal>},
    {"Relu", {1, 6, 13, 14}, import_unary<U::relu>},
    {"Round", {11, 22}, import_unary<U::round>},
    {"Selu", {1, 6, 22}, import_selu},
    {"Shrink", {9}, import_shrink},
    {"Sigmoid", {1, 6, 13}, import_unary<U::sigmoid>},
    {"Sign", {9, 13}, import_unary<U::sign>},
    {"Sin", {7, 22}, import_unary<U::sin>},
    {"Sinh", {9, 22}, import_unary<U::sinh>},
    {"Softplus", {1, 22}, import_unary<U::softplus>},
    {"Softsign", {1, 22}, import_unary<U::softsign>},
    {"Sqrt", {1, 6, 13}, import_unary<U::sqrt>},
    {"Sub", {1, 6, 7, 13, 14}, import_binary<B::sub>},
    {"Sum", {1, 6, 8, 13}, import_chain<B::add>},
    {"Swish", {24}, import_alpha<U::swish>},
    {"Tan", {7, 22}, import_unary<U::tan>},
    {"Tanh", {1, 6, 13}, import_unary<U::tanh>},
    {"ThresholdedRelu", {10, 22}, import_alpha<U::thresholded_relu>},
    {"Where", {9, 16}, import_where},
    {"Xor", {1, 7}, import_binary<B::logical_xor>},
};

}  // namespace

std::span<const Adapter> elementwise_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
