#include "runtime/core/checked.h"
#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_pad(const NodeView& node, std::span<TensorInfo> outputs) {
  const TensorInfo& x = node.input(0);
  const auto& attrs = node.attrs<fb::PadAttrs>();
  const auto rank = static_cast<unsigned>(x.shape.rank());
  const unsigned count = attrs.pads() == nullptr ? 0 : attrs.pads()->size();
  check(node, count == 2 * rank, "pads has ", count, " entries, needs ", 2 * rank);
  check(node, attrs.mode() >= fb::PadMode::MIN && attrs.mode() <= fb::PadMode::MAX, "mode ",
        static_cast<int>(attrs.mode()), " is unknown");
  if (node.has_input(1))
    check(node, node.input(1).dtype == x.dtype && node.input(1).elements() == 1,
          "the value must be one element of ", x.dtype);
  outputs[0].dtype = x.dtype;
  outputs[0].shape = {};
  for (unsigned i = 0; i < rank; ++i) {
    const std::int64_t before = node.dim(attrs.pads()->Get(i));
    const std::int64_t after = node.dim(attrs.pads()->Get(i + rank));
    const std::int64_t extent = x.shape[static_cast<int>(i)];
    check(node, before >= 0 && after >= 0, "pads of axis ", i, " are ", before, " and ", after,
          ", must not be negative");
    const auto pads = checked_add(before, after);
    const auto sum = pads ? checked_add(*pads, extent) : pads;
    check(node, sum.has_value(), "pads of axis ", i, " are too large");
    check(node, attrs.mode() == fb::PadMode::constant || *pads == 0 || extent > 0, "axis ", i,
          " is empty: there is nothing to fill its pads with");
    outputs[0].shape.push_back(*sum);
  }
}

}  // namespace skiff
