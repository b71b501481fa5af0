#include <limits>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Operators of quantised graphs.
namespace skiff::onnx {
namespace {

using B = fb::BinaryFunction;
using R = fb::ReduceFunction;
using U = fb::UnaryFunction;

fb::QuantizeAttrsT quantize_attrs(Op& op, DType to) {
  fb::QuantizeAttrsT attrs;
  const bool one = op.rank(1) == 0 || op.shape(1).elements() == 1;
  attrs.axis = op.integer("axis", 1);
  if (!one) attrs.axis = op.axis(attrs.axis, op.rank(0));
  attrs.block_size = op.integer("block_size", 0);
  attrs.to = static_cast<fb::DType>(to);
  return attrs;
}

void import_quantize(Op& op) {
  op.ignore({"saturate", "precision"});
  DType to = op.has(2) ? op.dtype(2) : DType::uint8;
  if (const std::int64_t named = op.integer("output_dtype", 0); named != 0 && !op.has(2))
    to = need_dtype(static_cast<int>(named), "the result");
  std::vector<ValueId> inputs{op.in(0), op.in(1)};
  if (op.has(2)) inputs.push_back(op.in(2));
  op.out(op.b.add(fb::OpKind::quantize, quantize_attrs(op, to), std::move(inputs)));
}

void import_dequantize(Op& op) {
  DType to = op.dtype(1);
  if (const std::int64_t named = op.integer("output_dtype", 0); named != 0)
    to = need_dtype(static_cast<int>(named), "the result");
  std::vector<ValueId> inputs{op.in(0), op.in(1)};
  if (op.has(2)) inputs.push_back(op.in(2));
  op.out(op.b.add(fb::OpKind::dequantize, quantize_attrs(op, to), std::move(inputs)));
}

/// Scale and zero point of uint8 from the tensor's range, which always holds 0.
void import_dynamic_quantize(Op& op) {
  Ints axes;
  for (int axis = 0; axis < op.rank(0); ++axis) axes.push_back(axis);
  const ValueId zero = op.b.scalar(DType::float32, 0);
  const ValueId low = op.b.binary(B::minimum, op.b.reduce(R::minimum, op.in(0), axes, false), zero);
  const ValueId high =
      op.b.binary(B::maximum, op.b.reduce(R::maximum, op.in(0), axes, false), zero);
  const ValueId scale = op.b.binary_number(B::div, op.b.binary(B::sub, high, low), 255);
  const ValueId origin = op.b.unary(U::neg, op.b.binary(B::div, low, scale));
  const ValueId point =
      op.b.cast(op.b.unary(U::clip, op.b.unary(U::round, origin), 0, 255), DType::uint8);
  fb::QuantizeAttrsT attrs;
  attrs.to = fb::DType::uint8;
  op.out(0, op.b.add(fb::OpKind::quantize, attrs, {op.in(0), scale, point}));
  op.out(1, scale);
  op.out(2, point);
}

/// Sums of `terms` products of 8-bit numbers less their zero points stay whole in float32.
bool exact_in_float(std::int64_t terms) { return terms <= (std::int64_t{1} << 24) / (255 * 255); }

/// x - zero point in float32; the zero point lies along the rows (axis -2) when it is a vector.
ValueId centred(Op& op, ValueId x, ValueId zero_point, bool rows) {
  const ValueId wide = op.b.cast(x, DType::float32);
  if (zero_point == kAbsent) return wide;
  if (rows && op.b.rank(zero_point) == 1 && op.b.dim(zero_point, 0) > 1)
    zero_point = op.b.unsqueeze(zero_point, {1});
  return op.b.binary(B::sub, wide, op.b.cast(zero_point, DType::float32));
}

void import_matmul_integer(Op& op) {
  op.check(op.rank(0) >= 2 && op.rank(1) >= 2, "an operand is a vector");
  const std::int64_t terms = op.shape(0).back();
  op.check(exact_in_float(terms), "sums of ", terms, " products are not exact in this version");
  const ValueId a = centred(op, op.in(0), op.in_or_absent(2), true);
  const ValueId b = centred(op, op.in(1), op.in_or_absent(3), false);
  op.out(op.b.cast(op.b.matmul(a, b), DType::int32));
}

void import_qlinear_matmul(Op& op) {
  const std::int64_t terms = op.shape(0).back();
  op.check(exact_in_float(terms), "sums of ", terms, " products are not exact in this version");
  const ValueId a = centred(op, op.in(0), op.in(2), true);
  const ValueId b = centred(op, op.in(3), op.in(5), false);
  ValueId a_scale = op.b.cast(op.in(1), DType::float32);
  if (op.b.rank(a_scale) == 1 && op.b.dim(a_scale, 0) > 1) a_scale = op.b.unsqueeze(a_scale, {1});
  const ValueId scale = op.b.binary(B::mul, a_scale, op.b.cast(op.in(4), DType::float32));
  const ValueId y = op.b.binary(B::mul, op.b.matmul(a, b), scale);
  fb::QuantizeAttrsT attrs;
  attrs.to = static_cast<fb::DType>(op.dtype(7));
  op.out(op.b.add(fb::OpKind::quantize, attrs, {y, op.b.cast(op.in(6), DType::float32), op.in(7)}));
}

constexpr Adapter kAdapters[] = {
    {"DequantizeLinear", {10, 13, 19, 21, 23, 24, 25}, import_dequantize},
    {"DynamicQuantizeLinear", {11}, import_dynamic_quantize},
    {"MatMulInteger", {10}, import_matmul_integer},
    {"QLinearMatMul", {10, 21}, import_qlinear_matmul},
    {"QuantizeLinear", {10, 13, 19, 21, 23, 24, 25}, import_quantize},
};

}  // namespace

std::span<const Adapter> quant_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
