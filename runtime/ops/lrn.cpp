#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_lrn(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::LrnAttrs>();
  const TensorInfo& x = node.input(0);
  check(node, x.shape.rank() >= 2, "operand ", x.shape, " must have batch and channels");
  check(node, holds(FloatTypes{}, x.dtype), "operand is ", x.dtype, ", must be a float");
  check(node, attrs.size() >= 1, "size is ", attrs.size(), ", must be at least 1");
  check(node,
        std::isfinite(attrs.alpha()) && std::isfinite(attrs.beta()) && std::isfinite(attrs.bias()),
        "alpha, beta or bias is not finite");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

void infer_lp_norm(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::LpNormAttrs>();
  const TensorInfo& x = node.input(0);
  read_axis(node, attrs.axis(), x.shape.rank());
  check(node, holds(FloatTypes{}, x.dtype), "operand is ", x.dtype, ", must be a float");
  check(node, attrs.p() == 1 || attrs.p() == 2, "p is ", attrs.p(), ", must be 1 or 2");
  check(node, std::isfinite(attrs.epsilon()) && attrs.epsilon() >= 0,
        "epsilon is negative or not finite");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
