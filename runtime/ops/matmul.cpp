#include "runtime/ops/matmul.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/activation.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Matrices of an operand and the steps between them along the result's batch axes.
std::int64_t read_batches(const Shape& operand, const Shape& batch,
                          std::array<std::int64_t, kMaxRank>& steps) {
  const int own = std::max(operand.rank() - 2, 0);
  std::int64_t step = 1;
  for (int axis = own - 1; axis >= 0; --axis) {
    const int to = axis + batch.rank() - own;
    steps[static_cast<std::size_t>(to)] = operand[axis] == 1 ? 0 : step;
    step *= operand[axis];
  }
  return step;
}

Shape batch_axes(const Shape& shape) {
  const auto count = static_cast<std::size_t>(std::max(shape.rank() - 2, 0));
  return Shape(shape.extents().first(count));
}

void check_types(const NodeView& node, const TensorInfo& a, const TensorInfo& b) {
  const bool half_stored =
      a.dtype == DType::float32 && (b.dtype == DType::float16 || b.dtype == DType::bfloat16);
  check(node, a.dtype == b.dtype || half_stored, "operands are ", a.dtype, " and ", b.dtype);
  check(node, a.dtype != DType::boolean, "operands are bool");
}

}  // namespace

MatMulGeometry read_matmul_geometry(const NodeView& node) {
  const TensorInfo &a = node.input(0), &b = node.input(1);
  const auto& attrs = node.attrs<fb::MatMulAttrs>();
  check_types(node, a, b);
  const int ra = a.shape.rank(), rb = b.shape.rank();
  check(node, ra >= 1 && rb >= 1, "shapes are ", a.shape, " and ", b.shape);
  MatMulGeometry g;
  g.transpose_a = attrs.transpose_a() && ra > 1;
  g.transpose_b = attrs.transpose_b() && rb > 1;
  if (ra > 1) g.m = a.shape[g.transpose_a ? ra - 1 : ra - 2];
  g.k = a.shape[g.transpose_a ? ra - 2 : ra - 1];
  if (rb > 1) g.n = b.shape[g.transpose_b ? rb - 2 : rb - 1];
  const std::int64_t bk = b.shape[rb == 1 || g.transpose_b ? rb - 1 : rb - 2];
  check(node, g.k == bk, "the product runs over ", g.k, " and ", bk, " elements (", a.shape,
        " and ", b.shape, ")");
  g.batch = broadcast(node, batch_axes(a.shape), batch_axes(b.shape));
  g.a_matrices = read_batches(a.shape, g.batch, g.a_steps);
  g.b_matrices = read_batches(b.shape, g.batch, g.b_steps);
  g.output = g.batch;
  if (ra > 1) g.output.push_back(g.m);
  if (rb > 1) g.output.push_back(g.n);
  const auto bytes = checked_bytes(a.dtype, g.output);
  check(node, bytes.has_value(), "the result would be too large: ", g.output);
  g.batches = g.batch.elements();
  check(node, std::isfinite(attrs.scale()), "scale is ", attrs.scale());
  check_activation(node, attrs.activation(), attrs.alpha(), attrs.beta());
  check_sums(node, attrs.sums());
  return g;
}

void infer_matmul(const NodeView& node, std::span<TensorInfo> outputs) {
  const MatMulGeometry g = read_matmul_geometry(node);
  const DType dtype = node.input(0).dtype;
  outputs[0].dtype = dtype;
  outputs[0].shape = g.output;
  if (node.has_input(2)) {
    const TensorInfo& bias = node.input(2);
    check(node, bias.dtype == dtype && bias.shape == Shape{g.n}, "bias is ", bias.dtype, " ",
          bias.shape, ", must be ", dtype, " [", g.n, "]");
  }
  if (node.has_input(3)) {
    const TensorInfo& residual = node.input(3);
    check(node, residual.dtype == dtype && residual.shape == g.output, "residual is ",
          residual.dtype, " ", residual.shape, ", the result ", dtype, " ", g.output);
  }
}

}  // namespace skiff
