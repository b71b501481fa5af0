#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_cast(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto to = static_cast<DType>(node.attrs<fb::CastAttrs>().to());
  check(node, size_of(to) != 0, "cannot cast to dtype ", static_cast<int>(to));
  outputs[0].dtype = to;
  outputs[0].shape = node.input(0).shape;
}

}  // namespace skiff
