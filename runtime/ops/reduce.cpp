#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/op_name.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

using enum fb::ReduceFunction;

bool takes(fb::ReduceFunction function, DType dtype) {
  if (function == any || function == all) return dtype == DType::boolean;
  if (dtype == DType::boolean) return function == maximum || function == minimum;
  return holds(NumericTypes{}, dtype);
}

}  // namespace

void infer_reduce(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::ReduceAttrs>();
  const TensorInfo& x = node.input(0);
  const int rank = x.shape.rank();
  check(node, attrs.function() <= fb::ReduceFunction::MAX, "function ",
        static_cast<int>(attrs.function()), " is not known");
  check(node, takes(attrs.function(), x.dtype), name_of(attrs.function()), " has no meaning for ",
        x.dtype);
  std::array<bool, static_cast<std::size_t>(kMaxRank)> reduced{};
  std::int64_t last = -1;
  if (attrs.axes() != nullptr) {
    for (const std::int64_t axis : *attrs.axes()) {
      read_axis(node, axis, rank, "axes");
      check(node, axis > last, "axes are not sorted: ", axis, " follows ", last);
      reduced[static_cast<std::size_t>(axis)] = true;
      last = axis;
    }
  }
  outputs[0].dtype = x.dtype;
  outputs[0].shape = Shape();
  for (int axis = 0; axis < rank; ++axis) {
    const bool gone = reduced[static_cast<std::size_t>(axis)];
    if (!gone || attrs.keep_dims()) outputs[0].shape.push_back(gone ? 1 : x.shape[axis]);
  }
}

}  // namespace skiff
