#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Matrix products.
namespace skiff::onnx {
namespace {

/// numpy.matmul: vectors become matrices and lose the axis again.
ValueId matmul(Op& op, ValueId a, ValueId b) {
  op.check(op.b.rank(a) >= 1 && op.b.rank(b) >= 1, "an operand is a scalar");
  const bool row = op.b.rank(a) == 1, column = op.b.rank(b) == 1;
  if (row) a = op.b.unsqueeze(a, {0});
  if (column) b = op.b.unsqueeze(b, {1});
  ValueId y = op.b.matmul(a, b);
  if (column) y = op.b.squeeze(y, {op.b.rank(y) - 1});
  if (row) y = op.b.squeeze(y, {op.b.rank(y) - (column ? 1 : 2)});
  return y;
}

void import_matmul(Op& op) { op.out(matmul(op, op.in(0), op.in(1))); }

/// alpha op(A) op(B) + beta C, C broadcast to the product.
void import_gemm(Op& op) {
  op.ignore({"broadcast"});
  const float alpha = op.number("alpha", 1), beta = op.number("beta", 1);
  fb::MatMulAttrsT attrs;
  attrs.transpose_a = op.flag("transA", false);
  attrs.transpose_b = op.flag("transB", false);
  attrs.scale = alpha;
  const ValueId a = op.in(0), b = op.in(1);
  op.check(op.rank(0) == 2 && op.rank(1) == 2, "operands have the shapes ", op.shape(0), " and ",
           op.shape(1), ", must be matrices");
  if (!op.has(2) || beta == 0) return op.out(op.b.add(fb::OpKind::matmul, attrs, {a, b}));
  ValueId c = op.in(2);
  if (beta != 1) c = op.b.binary_number(fb::BinaryFunction::mul, c, static_cast<double>(beta));
  const std::int64_t columns = op.shape(1)[attrs.transpose_b ? 0 : 1];
  const Shape& c_shape = op.b.shape(c);
  if (c_shape.rank() >= 1 && c_shape.back() == columns && c_shape.elements() == columns) {
    c = op.b.reshape(c, {columns});
    return op.out(op.b.add(fb::OpKind::matmul, attrs, {a, b, c}));
  }
  const ValueId product = op.b.add(fb::OpKind::matmul, attrs, {a, b});
  op.out(op.b.binary(fb::BinaryFunction::add, product, c));
}

constexpr Adapter kAdapters[] = {
    {"Gemm", {1, 6, 7, 9, 11, 13}, import_gemm},
    {"MatMul", {1, 9, 13}, import_matmul},
};

}  // namespace

std::span<const Adapter> matmul_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
