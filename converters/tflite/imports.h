#pragma once

#include "converters/tflite/operation.h"

// The import functions, for table.cpp alone: one an operator, or one for a family that tells its
// members apart by Operation::builtin().
namespace skiff::convert::tfl {

void import_conv_2d(Operation& op);
void import_depthwise_conv_2d(Operation& op);
void import_conv_3d(Operation& op);
void import_transpose_conv(Operation& op);
void import_conv_3d_transpose(Operation& op);
void import_transpose_conv_bias(Operation& op);  // MediaPipe's custom operator

void import_pool_2d(Operation& op);

void import_fully_connected(Operation& op);
void import_batch_matmul(Operation& op);
void import_embedding_lookup(Operation& op);

void import_unary(Operation& op);
void import_binary(Operation& op);
void import_leaky_relu(Operation& op);
void import_gelu(Operation& op);
void import_add_n(Operation& op);
void import_cast(Operation& op);
void import_dequantize(Operation& op);
void import_select(Operation& op);

void import_reduce(Operation& op);
void import_arg_reduce(Operation& op);
void import_softmax(Operation& op);
void import_log_softmax(Operation& op);
void import_cumsum(Operation& op);
void import_top_k(Operation& op);
void import_l2_normalization(Operation& op);
void import_local_response_normalization(Operation& op);

void import_concatenation(Operation& op);
void import_pack(Operation& op);
void import_unpack(Operation& op);
void import_reshape(Operation& op);
void import_squeeze(Operation& op);
void import_expand_dims(Operation& op);
void import_transpose(Operation& op);
void import_tile(Operation& op);
void import_broadcast_to(Operation& op);
void import_pad(Operation& op);
void import_identity(Operation& op);

void import_split(Operation& op);
void import_split_v(Operation& op);
void import_slice(Operation& op);
void import_strided_slice(Operation& op);
void import_reverse(Operation& op);
void import_reverse_sequence(Operation& op);

void import_gather(Operation& op);
void import_gather_nd(Operation& op);
void import_scatter_nd(Operation& op);
void import_segment_sum(Operation& op);
void import_one_hot(Operation& op);

void import_where(Operation& op);
void import_unique(Operation& op);
void import_non_max_suppression(Operation& op);

void import_shape(Operation& op);
void import_rank(Operation& op);
void import_zeros_like(Operation& op);
void import_fill(Operation& op);
void import_range(Operation& op);
void import_broadcast_args(Operation& op);

void import_resize_bilinear(Operation& op);
void import_resize_nearest(Operation& op);
void import_space_to_depth(Operation& op);
void import_depth_to_space(Operation& op);
void import_space_to_batch(Operation& op);
void import_batch_to_space(Operation& op);

void import_rnn(Operation& op);
void import_sequence_rnn(Operation& op);
void import_both_ways_rnn(Operation& op);
void import_lstm(Operation& op);
void import_sequence_lstm(Operation& op);
void import_both_ways_lstm(Operation& op);
void import_svdf(Operation& op);

void import_if(Operation& op);
void import_while(Operation& op);
void import_composite(Operation& op);
void import_call_once(Operation& op);
void import_var_handle(Operation& op);
void import_read_variable(Operation& op);
void import_assign_variable(Operation& op);

}  // namespace skiff::convert::tfl
