#include "runtime/ops/attention.h"

#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

struct Heads {
  std::int64_t batches, heads, rows, elements;
};

/// [B, H, R, E], or [B, R, H E] when `folded` heads are given.
Heads read_heads(const NodeView& node, const Shape& shape, bool folded, std::int64_t heads,
                 const char* what) {
  check(node, shape.rank() == (folded ? 3 : 4), what, " is ", shape, ", must have ", folded ? 3 : 4,
        " axes");
  if (!folded) return {shape[0], shape[1], shape[2], shape[3]};
  check(node, heads >= 1 && shape[2] % heads == 0, what, " is ", shape, ", which ", heads,
        " heads do not divide");
  return {shape[0], heads, shape[1], shape[2] / heads};
}

AttentionGeometry::Rows rows_of(const Heads& h, bool folded) {
  if (folded) return {h.rows * h.heads * h.elements, h.elements, h.heads * h.elements};
  return {h.heads * h.rows * h.elements, h.rows * h.elements, h.elements};
}

void read_mask(const NodeView& node, AttentionGeometry& g) {
  const TensorInfo& mask = node.input(3);
  g.has_mask = true;
  g.mask_is_bool = mask.dtype == DType::boolean;
  check(node, g.mask_is_bool || mask.dtype == g.dtype, "mask is ", mask.dtype, ", must be bool or ",
        g.dtype);
  const Shape scores{g.batches, g.heads, g.queries, g.keys};
  check(node, mask.shape.rank() <= 4 && broadcast(node, mask.shape, scores) == scores, "mask is ",
        mask.shape, ", which does not broadcast to ", scores);
  const Strides strides = broadcast_strides(mask.shape, scores);
  for (int axis = 0; axis < 4; ++axis) g.mask[axis] = strides[at(axis)];
}

}  // namespace

AttentionGeometry read_attention(const NodeView& node) {
  const auto& attrs = node.attrs<fb::AttentionAttrs>();
  const DType dtype = node.input(0).dtype;
  check(node, dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16,
        "q is ", dtype, ", must be float32, float16 or bfloat16");
  for (int i : {1, 2})
    check(node, node.input(i).dtype == dtype, "operand ", i, " is ", node.input(i).dtype,
          ", must be as q, ", dtype);
  check(node, attrs.qk_output_mode() == 0, "qk_output_mode is ", attrs.qk_output_mode());
  const bool folded = attrs.q_heads() > 0;
  const Heads q = read_heads(node, node.input(0).shape, folded, attrs.q_heads(), "q"),
              k = read_heads(node, node.input(1).shape, folded, attrs.kv_heads(), "k"),
              v = read_heads(node, node.input(2).shape, folded, attrs.kv_heads(), "v");
  check(node,
        q.batches == k.batches && k.batches == v.batches && k.heads == v.heads &&
            k.rows == v.rows && q.elements == k.elements && k.heads >= 1 && q.heads % k.heads == 0,
        "q ", node.input(0).shape, ", k ", node.input(1).shape, " and v ", node.input(2).shape,
        " do not fit");
  AttentionGeometry g{.dtype = dtype,
                      .batches = q.batches,
                      .heads = q.heads,
                      .kv_heads = k.heads,
                      .queries = q.rows,
                      .keys = k.rows,
                      .depth = q.elements,
                      .width = v.elements,
                      .q = rows_of(q, folded),
                      .k = rows_of(k, folded),
                      .v = rows_of(v, folded),
                      .y = rows_of({q.batches, q.heads, q.rows, v.elements}, folded),
                      .folded = folded,
                      .scale = attrs.scale(),
                      .softcap = attrs.softcap(),
                      .causal = attrs.causal()};
  check(node, g.softcap >= 0 && std::isfinite(g.softcap), "softcap is ", g.softcap);
  if (g.scale == 0)
    g.scale =
        static_cast<float>(1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(1, g.depth))));
  if (node.has_input(3)) read_mask(node, g);
  return g;
}

void infer_attention(const NodeView& node, std::span<TensorInfo> outputs) {
  const AttentionGeometry g = read_attention(node);
  outputs[0].dtype = g.dtype;
  outputs[0].shape = g.folded ? Shape{g.batches, g.queries, g.heads * g.width}
                              : Shape{g.batches, g.heads, g.queries, g.width};
}

}  // namespace skiff
