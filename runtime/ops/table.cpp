#include <array>

#include "runtime/ops/op.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

using enum fb::OpKind;
using fb::Attrs;

// One row an operator, in the order of the schema's enum. A row without functions is known to the
// format and not to this version: the loader and the converters refuse it by name.
constexpr std::array kOps = {
    OpDef{none, "none"},
    OpDef{identity, "identity", Attrs::NONE, 1, 1, 1, 1, infer_identity, make_identity_cpu},
    OpDef{reshape, "reshape", Attrs::ShapeAttrs, 1, 1, 1, 1, infer_reshape, make_reshape_cpu},
    OpDef{transpose, "transpose", Attrs::TransposeAttrs, 1, 1, 1, 1, infer_transpose,
          make_transpose_cpu},
    OpDef{concat, "concat", Attrs::AxisAttrs, 1, kVariadic, 1, 1, infer_concat, make_concat_cpu},
    OpDef{slice, "slice", Attrs::SliceAttrs, 1, 1, 1, 1, infer_slice, make_slice_cpu},
    OpDef{pad, "pad", Attrs::PadAttrs, 1, 2, 1, 1, infer_pad, make_pad_cpu},
    OpDef{expand, "expand", Attrs::ShapeAttrs, 1, 1, 1, 1, infer_expand, make_expand_cpu},
    OpDef{tile, "tile", Attrs::ShapeAttrs, 1, 1, 1, 1, infer_tile, make_tile_cpu},
    OpDef{gather, "gather", Attrs::GatherAttrs, 2, 2, 1, 1, infer_gather, make_gather_cpu},
    OpDef{gather_elements, "gather_elements", Attrs::GatherAttrs, 2, 2, 1, 1, infer_gather_elements,
          make_gather_elements_cpu},
    OpDef{gather_nd, "gather_nd", Attrs::GatherAttrs, 2, 2, 1, 1, infer_gather_nd,
          make_gather_nd_cpu},
    OpDef{scatter_elements, "scatter_elements", Attrs::ScatterAttrs, 3, 3, 1, 1,
          infer_scatter_elements, make_scatter_elements_cpu},
    OpDef{scatter_nd, "scatter_nd", Attrs::ScatterAttrs, 3, 3, 1, 1, infer_scatter_nd,
          make_scatter_nd_cpu},
    OpDef{one_hot, "one_hot", Attrs::OneHotAttrs, 2, 2, 1, 1, infer_one_hot, make_one_hot_cpu},
    OpDef{trilu, "trilu", Attrs::TriluAttrs, 1, 1, 1, 1, infer_trilu, make_trilu_cpu},
    OpDef{reverse_sequence, "reverse_sequence", Attrs::ReverseSequenceAttrs, 2, 2, 1, 1,
          infer_reverse_sequence, make_reverse_sequence_cpu},
    OpDef{depth_to_space, "depth_to_space", Attrs::BlockAttrs, 1, 1, 1, 1, infer_depth_to_space,
          make_depth_to_space_cpu},
    OpDef{space_to_depth, "space_to_depth", Attrs::BlockAttrs, 1, 1, 1, 1, infer_space_to_depth,
          make_space_to_depth_cpu},
    OpDef{cast, "cast", Attrs::CastAttrs, 1, 1, 1, 1, infer_cast, make_cast_cpu},
    OpDef{unary, "unary", Attrs::UnaryAttrs, 1, 1, 1, 1, infer_unary, make_unary_cpu},
    OpDef{binary, "binary", Attrs::BinaryAttrs, 2, 2, 1, 1, infer_binary, make_binary_cpu},
    OpDef{where, "where", Attrs::NONE, 3, 3, 1, 1, infer_where, make_where_cpu},
    OpDef{reduce, "reduce", Attrs::ReduceAttrs, 1, 1, 1, 1, infer_reduce, make_reduce_cpu},
    OpDef{arg_reduce, "arg_reduce", Attrs::ArgReduceAttrs, 1, 1, 1, 1, infer_arg_reduce,
          make_arg_reduce_cpu},
    OpDef{cumulative, "cumulative", Attrs::CumulativeAttrs, 1, 1, 1, 1, infer_cumulative,
          make_cumulative_cpu},
    OpDef{softmax, "softmax", Attrs::SoftmaxAttrs, 1, 1, 1, 1, infer_softmax, make_softmax_cpu},
    OpDef{top_k, "top_k", Attrs::TopKAttrs, 1, 1, 2, 2, infer_top_k, make_top_k_cpu},
    OpDef{conv, "conv", Attrs::ConvAttrs, 2, 4, 1, 1, infer_conv, make_conv_cpu},
    OpDef{conv_transpose, "conv_transpose", Attrs::ConvAttrs, 2, 3, 1, 1, infer_conv_transpose,
          make_conv_transpose_cpu},
    OpDef{matmul, "matmul", Attrs::MatMulAttrs, 2, 4, 1, 1, infer_matmul, make_matmul_cpu},
    OpDef{pool, "pool", Attrs::PoolAttrs, 1, 1, 1, 2, infer_pool, make_pool_cpu},
    OpDef{max_unpool, "max_unpool", Attrs::MaxUnpoolAttrs, 2, 2, 1, 1, infer_max_unpool,
          make_max_unpool_cpu},
    OpDef{layer_norm, "layer_norm", Attrs::NormAttrs, 1, 3, 1, 3, infer_layer_norm,
          make_layer_norm_cpu},
    OpDef{group_norm, "group_norm", Attrs::NormAttrs, 1, 3, 1, 1, infer_group_norm,
          make_group_norm_cpu},
    OpDef{lrn, "lrn", Attrs::LrnAttrs, 1, 1, 1, 1, infer_lrn, make_lrn_cpu},
    OpDef{lp_norm, "lp_norm", Attrs::LpNormAttrs, 1, 1, 1, 1, infer_lp_norm, make_lp_norm_cpu},
    OpDef{resize, "resize", Attrs::ResizeAttrs, 1, 1, 1, 1, infer_resize, make_resize_cpu},
    OpDef{grid_sample, "grid_sample", Attrs::GridSampleAttrs, 2, 2, 1, 1, infer_grid_sample,
          make_grid_sample_cpu},
    OpDef{roi_align, "roi_align", Attrs::RoiAlignAttrs, 3, 3, 1, 1, infer_roi_align,
          make_roi_align_cpu},
    OpDef{non_max_suppression, "non_max_suppression", Attrs::NmsAttrs, 2, 2, 1, 1,
          infer_non_max_suppression, make_non_max_suppression_cpu, most_non_max_suppression},
    OpDef{non_zero, "non_zero", Attrs::NONE, 1, 1, 1, 1, infer_non_zero, make_non_zero_cpu,
          most_non_zero},
    OpDef{unique, "unique", Attrs::UniqueAttrs, 1, 1, 1, 4, infer_unique, make_unique_cpu,
          most_unique},
    OpDef{compress, "compress", Attrs::AxisAttrs, 2, 2, 1, 1, infer_compress, make_compress_cpu,
          most_compress},
    OpDef{quantize, "quantize", Attrs::QuantizeAttrs, 2, 3, 1, 1, infer_quantize,
          make_quantize_cpu},
    OpDef{dequantize, "dequantize", Attrs::QuantizeAttrs, 2, 3, 1, 1, infer_dequantize,
          make_dequantize_cpu},
    OpDef{rnn, "rnn", Attrs::RnnAttrs, 3, 8, 1, 3, infer_rnn, make_rnn_cpu},
    OpDef{attention, "attention", Attrs::AttentionAttrs, 3, 4, 1, 1, infer_attention,
          make_attention_cpu},
    OpDef{if_else, "if_else", Attrs::IfAttrs, 1, kVariadic, 1, kVariadic, infer_if_else,
          make_if_else_cpu},
    OpDef{loop, "loop", Attrs::LoopAttrs, 2, kVariadic, 1, kVariadic, infer_loop, make_loop_cpu},
    OpDef{scan, "scan", Attrs::LoopAttrs, 1, kVariadic, 1, kVariadic, infer_scan, make_scan_cpu},
    OpDef{call, "call", Attrs::CallAttrs, 0, kVariadic, 1, kVariadic},
    // The variable itself is the last operand; files leave it out.
    OpDef{read_variable, "read_variable", Attrs::VariableAttrs, 1, 1, 1, 1, infer_read_variable,
          make_read_variable_cpu},
    OpDef{assign_variable, "assign_variable", Attrs::VariableAttrs, 2, 2, 1, 1,
          infer_assign_variable, make_assign_variable_cpu},
    OpDef{custom, "custom", Attrs::CustomAttrs, 0, kVariadic, 1, kVariadic},
    OpDef{integer_conv, "integer_conv", Attrs::ConvAttrs, 2, 3, 1, 1, infer_integer_conv,
          make_integer_conv_cpu},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kOps.size(); ++i)
    if (static_cast<std::size_t>(kOps[i].op) != i) return false;
  return true;
}
static_assert(kOps.size() == static_cast<std::size_t>(fb::OpKind::MAX) + 1,
              "every OpKind of the schema has a row");
static_assert(in_order(), "rows stand in the order of the schema's enum");

}  // namespace

const OpDef* find_op(fb::OpKind op) noexcept {
  const auto index = static_cast<std::size_t>(op);
  return index < kOps.size() ? &kOps[index] : nullptr;
}

std::span<const OpDef> all_ops() noexcept { return kOps; }

}  // namespace skiff
