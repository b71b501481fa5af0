#include "runtime/cuda/kernels.h"

#include <iterator>

#include "runtime/cuda/dispatch.h"
#include "runtime/ops/made.h"

namespace skiff::cuda {
namespace {

using enum fb::OpKind;

struct Row {
  fb::OpKind op;
  KernelPtr (*make)(const KernelSpec& spec);
  Choices (*choices)(const KernelSpec& spec, int most) = nullptr;
};

// One line an operator; what is not here runs on the CPU.
constexpr Row kRows[] = {
    {identity, make_identity},
    {reshape, make_reshape},
    {transpose, make_transpose},
    {concat, make_concat},
    {slice, make_slice},
    {pad, make_pad},
    {expand, make_expand},
    {tile, make_tile},
    {trilu, make_trilu},
    {reverse_sequence, make_reverse_sequence},
    {gather, make_gather},
    {gather_elements, make_gather_elements},
    {gather_nd, make_gather_nd},
    {scatter_elements, make_scatter_elements},
    {scatter_nd, make_scatter_nd},
    {one_hot, make_one_hot},
    {depth_to_space, make_depth_to_space},
    {space_to_depth, make_space_to_depth},
    {cast, make_cast},
    {quantize, make_quantize},
    {dequantize, make_dequantize},
    {unary, make_unary},
    {binary, make_binary},
    {where, make_where},
    {reduce, make_reduce},
    {cumulative, make_cumulative},
    {arg_reduce, make_arg_reduce},
    {top_k, make_top_k},
    {softmax, make_softmax},
    {conv, make_conv, list_conv_choices},
    {conv_transpose, make_conv_transpose},
    {integer_conv, make_integer_conv, list_integer_conv_choices},
    {matmul, make_matmul, list_matmul_choices},
    {pool, make_pool},
    {layer_norm, make_layer_norm},
    {group_norm, make_group_norm},
    {lp_norm, make_lp_norm},
    {lrn, make_lrn},
    {resize, make_resize},
    {grid_sample, make_grid_sample},
    {roi_align, make_roi_align},
    {non_max_suppression, make_non_max_suppression},
    {rnn, make_rnn},
    {attention, make_attention},
    {made::pointwise_chain, make_pointwise_chain, list_pointwise_chain_choices},
    {made::squeeze_excite, make_squeeze_excite},
    {made::pixel_conv, make_pixel_conv},
};

}  // namespace

Choices list_choices(const KernelSpec& spec, int most) {
  for (const Row& row : kRows)
    if (row.op == spec.node.op && row.choices != nullptr) return row.choices(spec, most);
  return {};
}

KernelPtr make_kernel(const KernelSpec& spec) {
  for (const Row& row : kRows)
    if (row.op == spec.node.op) return row.make(spec);
  refuse("the GPU has no kernel for this operator");
}

}  // namespace skiff::cuda
