#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// Start, step and size of one axis stay inside its extent.
void check_axis(const NodeView& node, int axis, std::int64_t extent, std::int64_t start,
                std::int64_t size, std::int64_t step) {
  check(node, step != 0, "step of axis ", axis, " is 0");
  check(node, size >= 0, "size of axis ", axis, " is ", size);
  if (size == 0) return;
  const auto way = checked_mul(size - 1, step);
  const auto last = way ? checked_add(start, *way) : way;
  check(node, start >= 0 && start < extent && last && *last >= 0 && *last < extent, "axis ", axis,
        " of extent ", extent, " has no ", size, " elements from ", start, " in steps of ", step);
}

}  // namespace

void infer_slice(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const auto& attrs = node.attrs<fb::SliceAttrs>();
  const auto rank = static_cast<unsigned>(x.shape.rank());
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {};
  for (const auto* field : {attrs.starts(), attrs.sizes(), attrs.steps()})
    check(node, (field == nullptr ? 0 : field->size()) == rank,
          "starts, sizes and steps need an entry for each of ", rank, " axes");
  for (unsigned i = 0; i < rank; ++i) {
    const std::int64_t size = node.dim(attrs.sizes()->Get(i));
    check_axis(node, static_cast<int>(i), x.shape[static_cast<int>(i)],
               node.dim(attrs.starts()->Get(i)), size, attrs.steps()->Get(i));
    outputs[0].shape.push_back(size);
  }
}

}  // namespace skiff
