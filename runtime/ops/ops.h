#pragma once

#include "runtime/ops/kernel.h"
#include "runtime/ops/op.h"

// Rule and CPU kernel of every operator, for the op table alone. One pair of lines an operator;
// what an operator means stands with its attributes in schema/skiff.fbs.
namespace skiff {

#define SKIFF_OP(name)                                                    \
  void infer_##name(const NodeView& node, std::span<TensorInfo> outputs); \
  KernelPtr make_##name##_cpu(const KernelSpec& spec);

/// The same for operators that count their results.
#define SKIFF_COUNTING_OP(name) \
  SKIFF_OP(name)                \
  std::int64_t most_##name(const NodeView& node);

SKIFF_OP(identity)
SKIFF_OP(reshape)
SKIFF_OP(unary)
SKIFF_OP(binary)
SKIFF_OP(where)
SKIFF_OP(cast)
SKIFF_OP(transpose)
SKIFF_OP(concat)
SKIFF_OP(slice)
SKIFF_OP(pad)
SKIFF_OP(gather)
SKIFF_OP(softmax)
SKIFF_OP(reduce)
SKIFF_OP(conv)
SKIFF_OP(conv_transpose)
SKIFF_OP(integer_conv)
SKIFF_OP(matmul)
SKIFF_OP(pool)
SKIFF_OP(max_unpool)
SKIFF_OP(arg_reduce)
SKIFF_OP(cumulative)
SKIFF_OP(top_k)
SKIFF_OP(layer_norm)
SKIFF_OP(group_norm)
SKIFF_OP(lrn)
SKIFF_OP(lp_norm)
SKIFF_OP(quantize)
SKIFF_OP(dequantize)
SKIFF_OP(resize)
SKIFF_OP(grid_sample)
SKIFF_OP(roi_align)
SKIFF_OP(expand)
SKIFF_OP(tile)
SKIFF_OP(gather_elements)
SKIFF_OP(gather_nd)
SKIFF_OP(scatter_elements)
SKIFF_OP(scatter_nd)
SKIFF_OP(one_hot)
SKIFF_OP(trilu)
SKIFF_OP(reverse_sequence)
SKIFF_OP(depth_to_space)
SKIFF_OP(space_to_depth)
SKIFF_OP(rnn)
SKIFF_OP(attention)
SKIFF_OP(if_else)
SKIFF_OP(loop)
SKIFF_OP(scan)
SKIFF_OP(read_variable)
SKIFF_OP(assign_variable)
SKIFF_COUNTING_OP(non_zero)
SKIFF_COUNTING_OP(compress)
SKIFF_COUNTING_OP(unique)
SKIFF_COUNTING_OP(non_max_suppression)

#undef SKIFF_COUNTING_OP
#undef SKIFF_OP

}  // namespace skiff
