#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_transpose(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const int rank = x.shape.rank();
  const auto* perm = node.attrs<fb::TransposeAttrs>().perm();
  const unsigned count = perm == nullptr ? 0 : perm->size();
  check(node, count == static_cast<unsigned>(rank), "perm has ", count, " entries, operand has ",
        rank, " axes");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {};
  unsigned seen = 0;
  for (unsigned i = 0; i < count; ++i) {
    const int axis = read_axis(node, perm->Get(i), rank, "perm entry");
    check(node, (seen >> axis & 1u) == 0, "perm names axis ", axis, " twice");
    seen |= 1u << axis;
    outputs[0].shape.push_back(x.shape[axis]);
  }
}

}  // namespace skiff
