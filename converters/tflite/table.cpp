#include <array>
#include <string_view>

#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {
namespace {

using enum tflite::Builtin;

struct Row {
  tflite::Builtin builtin;
  ImportFunction import;
};

constexpr Row kRows[] = {
    {CONV_2D, import_conv_2d},
    {DEPTHWISE_CONV_2D, import_depthwise_conv_2d},
    {CONV_3D, import_conv_3d},
    {TRANSPOSE_CONV, import_transpose_conv},
    {CONV_3D_TRANSPOSE, import_conv_3d_transpose},
    {AVERAGE_POOL_2D, import_pool_2d},
    {MAX_POOL_2D, import_pool_2d},
    {L2_POOL_2D, import_pool_2d},
    {FULLY_CONNECTED, import_fully_connected},
    {BATCH_MATMUL, import_batch_matmul},
    {EMBEDDING_LOOKUP, import_embedding_lookup},
    {ABS, import_unary},
    {CEIL, import_unary},
    {COS, import_unary},
    {ELU, import_unary},
    {EXP, import_unary},
    {FLOOR, import_unary},
    {HARD_SWISH, import_unary},
    {LOG, import_unary},
    {LOGICAL_NOT, import_unary},
    {LOGISTIC, import_unary},
    {NEG, import_unary},
    {RELU, import_unary},
    {RELU6, import_unary},
    {RELU_N1_TO_1, import_unary},
    {RELU_0_TO_1, import_unary},
    {ROUND, import_unary},
    {RSQRT, import_unary},
    {SIGN, import_unary},
    {SIN, import_unary},
    {SQRT, import_unary},
    {SQUARE, import_unary},
    {TANH, import_unary},
    {LEAKY_RELU, import_leaky_relu},
    {GELU, import_gelu},
    {ADD, import_binary},
    {SUB, import_binary},
    {MUL, import_binary},
    {DIV, import_binary},
    {MAXIMUM, import_binary},
    {MINIMUM, import_binary},
    {POW, import_binary},
    {SQUARED_DIFFERENCE, import_binary},
    {FLOOR_DIV, import_binary},
    {FLOOR_MOD, import_binary},
    {PRELU, import_binary},
    {ATAN2, import_binary},
    {EQUAL, import_binary},
    {NOT_EQUAL, import_binary},
    {LESS, import_binary},
    {LESS_EQUAL, import_binary},
    {GREATER, import_binary},
    {GREATER_EQUAL, import_binary},
    {LOGICAL_AND, import_binary},
    {LOGICAL_OR, import_binary},
    {BITWISE_XOR, import_binary},
    {RIGHT_SHIFT, import_binary},
    {ADD_N, import_add_n},
    {CAST, import_cast},
    {DEQUANTIZE, import_dequantize},
    {DENSIFY, import_identity},
    {SELECT, import_select},
    {SELECT_V2, import_select},
    {WHERE, import_where},
    {UNIQUE, import_unique},
    {NON_MAX_SUPPRESSION_V4, import_non_max_suppression},
    {NON_MAX_SUPPRESSION_V5, import_non_max_suppression},
    {SUM, import_reduce},
    {MEAN, import_reduce},
    {REDUCE_PROD, import_reduce},
    {REDUCE_MAX, import_reduce},
    {REDUCE_MIN, import_reduce},
    {REDUCE_ANY, import_reduce},
    {REDUCE_ALL, import_reduce},
    {ARG_MAX, import_arg_reduce},
    {ARG_MIN, import_arg_reduce},
    {SOFTMAX, import_softmax},
    {LOG_SOFTMAX, import_log_softmax},
    {CUMSUM, import_cumsum},
    {TOPK_V2, import_top_k},
    {L2_NORMALIZATION, import_l2_normalization},
    {LOCAL_RESPONSE_NORMALIZATION, import_local_response_normalization},
    {CONCATENATION, import_concatenation},
    {PACK, import_pack},
    {UNPACK, import_unpack},
    {RESHAPE, import_reshape},
    {SQUEEZE, import_squeeze},
    {EXPAND_DIMS, import_expand_dims},
    {TRANSPOSE, import_transpose},
    {TILE, import_tile},
    {BROADCAST_TO, import_broadcast_to},
    {PAD, import_pad},
    {PADV2, import_pad},
    {MIRROR_PAD, import_pad},
    {SPLIT, import_split},
    {SPLIT_V, import_split_v},
    {SLICE, import_slice},
    {STRIDED_SLICE, import_strided_slice},
    {REVERSE_V2, import_reverse},
    {REVERSE_SEQUENCE, import_reverse_sequence},
    {GATHER, import_gather},
    {GATHER_ND, import_gather_nd},
    {SCATTER_ND, import_scatter_nd},
    {SEGMENT_SUM, import_segment_sum},
    {ONE_HOT, import_one_hot},
    {SHAPE, import_shape},
    {RANK, import_rank},
    {ZEROS_LIKE, import_zeros_like},
    {FILL, import_fill},
    {RANGE, import_range},
    {BROADCAST_ARGS, import_broadcast_args},
    {RESIZE_BILINEAR, import_resize_bilinear},
    {RESIZE_NEAREST_NEIGHBOR, import_resize_nearest},
    {SPACE_TO_DEPTH, import_space_to_depth},
    {DEPTH_TO_SPACE, import_depth_to_space},
    {SPACE_TO_BATCH_ND, import_space_to_batch},
    {BATCH_TO_SPACE_ND, import_batch_to_space},
    {RNN, import_rnn},
    {UNIDIRECTIONAL_SEQUENCE_RNN, import_sequence_rnn},
    {BIDIRECTIONAL_SEQUENCE_RNN, import_both_ways_rnn},
    {LSTM, import_lstm},
    {UNIDIRECTIONAL_SEQUENCE_LSTM, import_sequence_lstm},
    {BIDIRECTIONAL_SEQUENCE_LSTM, import_both_ways_lstm},
    {SVDF, import_svdf},
    {IF, import_if},
    {WHILE, import_while},
    {STABLEHLO_COMPOSITE, import_composite},
    {CALL_ONCE, import_call_once},
    {VAR_HANDLE, import_var_handle},
    {READ_VARIABLE, import_read_variable},
    {ASSIGN_VARIABLE, import_assign_variable},
};

}  // namespace

ImportFunction find_import(const Model& model, const tflite::Operator& op) noexcept {
  const tflite::Builtin builtin = model.builtin(op);
  if (builtin == CUSTOM) {
    const flatbuffers::String* name = model.code(op).custom_code();
    const bool known = name != nullptr && std::string_view(name->c_str(), name->size()) ==
                                              "Convolution2DTransposeBias";
    return known ? import_transpose_conv_bias : nullptr;
  }
  for (const Row& row : kRows)
    if (row.builtin == builtin) return row.import;
  return nullptr;
}

}  // namespace skiff::convert::tfl
