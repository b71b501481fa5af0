#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/op_name.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

using enum fb::UnaryFunction;

/// Functions that integers have as well; all others are of floats.
bool takes_integers(fb::UnaryFunction function) {
  switch (function) {
    case relu:
    case clip:
    case abs:
    case neg:
    case square:
    case sign:
    case bitwise_not:
      return true;
    default:
      return false;
  }
}

bool takes(fb::UnaryFunction function, DType dtype) {
  if (function == logical_not) return dtype == DType::boolean;
  if (holds(IntegerTypes{}, dtype)) return takes_integers(function);
  return holds(FloatTypes{}, dtype) && function != bitwise_not;
}

}  // namespace

void infer_unary(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::UnaryAttrs>();
  const fb::UnaryFunction function = attrs.function();
  const TensorInfo& x = node.input(0);
  check(node, function > none && function <= fb::UnaryFunction::MAX, "function ",
        static_cast<int>(function), " is not known");
  check(node, !std::isnan(attrs.alpha()) && !std::isnan(attrs.beta()), "alpha or beta is NaN");
  check(node, takes(function, x.dtype), name_of(function), " has no meaning for ", x.dtype);
  outputs[0].dtype = function == is_nan || function == is_inf ? DType::boolean : x.dtype;
  outputs[0].shape = x.shape;
}

}  // namespace skiff
