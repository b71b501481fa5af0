#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// scale and bias of a normalisation: the operand's dtype, `count` elements.
void check_affine(const NodeView& node, DType dtype, std::int64_t count) {
  for (int i = 1; i <= 2; ++i) {
    if (!node.has_input(i)) continue;
    const TensorInfo& p = node.input(i);
    check(node, p.dtype == dtype && p.elements() == count, "operand ", i, " is ", p.dtype, " ",
          p.shape, ", must be ", dtype, " of ", count, " elements");
  }
}

void check_norm(const NodeView& node, const fb::NormAttrs& attrs) {
  check(node, holds(FloatTypes{}, node.input(0).dtype), "operand is ", node.input(0).dtype,
        ", must be a float");
  check(node, std::isfinite(attrs.epsilon()) && attrs.epsilon() >= 0,
        "epsilon is negative or not finite");
}

}  // namespace

void infer_layer_norm(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::NormAttrs>();
  check_norm(node, attrs);
  const TensorInfo& x = node.input(0);
  const int rank = x.shape.rank(), axis = read_axis(node, attrs.axis(), rank);
  check_affine(node, x.dtype, x.shape.elements(axis, rank));
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
  // Mean and inverse deviation, one a row.
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    outputs[i].dtype = DType::float32;
    outputs[i].shape = Shape();
    for (int a = 0; a < rank; ++a) outputs[i].shape.push_back(a < axis ? x.shape[a] : 1);
  }
}

void infer_group_norm(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::NormAttrs>();
  check_norm(node, attrs);
  const TensorInfo& x = node.input(0);
  check(node, x.shape.rank() >= 2, "operand ", x.shape, " must have batch and channels");
  const std::int64_t channels = x.shape.back();
  check(node, attrs.groups() > 0 && channels % attrs.groups() == 0, "groups is ", attrs.groups(),
        ", must divide the ", channels, " channels");
  check_affine(node, x.dtype, channels);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
