#include "runtime/ops/activation.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/op_name.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

using enum fb::BinaryFunction;

bool takes(fb::BinaryFunction function, DType dtype) {
  if (function >= bitwise_and) return holds(IntegerTypes{}, dtype);
  if (function >= logical_and) return dtype == DType::boolean;
  if (function == equal || function == not_equal) return dtype != DType::none;
  if (function == atan2) return holds(FloatTypes{}, dtype);
  return holds(NumericTypes{}, dtype);
}

}  // namespace

void infer_binary(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::BinaryAttrs>();
  const fb::BinaryFunction function = attrs.function();
  const TensorInfo &a = node.input(0), &b = node.input(1);
  check(node, function <= fb::BinaryFunction::MAX, "function ", static_cast<int>(function),
        " is not known");
  // The exponent's type is free: it does not decide the result's.
  check(node, a.dtype == b.dtype || (function == pow && takes(function, b.dtype)), "operands are ",
        a.dtype, " and ", b.dtype, ", must be equal");
  check(node, takes(function, a.dtype), name_of(function), " has no meaning for ", a.dtype);
  check_activation(node, attrs.activation(), attrs.alpha(), attrs.beta());
  const bool compares = function >= equal && function <= logical_xor;
  check(
      node,
      attrs.activation() == fb::UnaryFunction::none || (!compares && holds(FloatTypes{}, a.dtype)),
      "an activation needs a result of floats");
  outputs[0].dtype = compares ? DType::boolean : a.dtype;
  outputs[0].shape = broadcast(node, a.shape, b.shape);
}

}  // namespace skiff
