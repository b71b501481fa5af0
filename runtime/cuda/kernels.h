#pragma once

#include "runtime/cuda/kernel.h"

// Makers of GPU kernels, one an operator, for the table in kernels.cpp. Each throws
// Error{unsupported} with the reason when it cannot do the node.
namespace skiff::cuda {

#define SKIFF_CUDA_KERNEL(name) KernelPtr make_##name(const KernelSpec& spec);

SKIFF_CUDA_KERNEL(identity)
SKIFF_CUDA_KERNEL(reshape)
SKIFF_CUDA_KERNEL(transpose)
SKIFF_CUDA_KERNEL(slice)
SKIFF_CUDA_KERNEL(expand)
SKIFF_CUDA_KERNEL(depth_to_space)
SKIFF_CUDA_KERNEL(space_to_depth)
SKIFF_CUDA_KERNEL(concat)
SKIFF_CUDA_KERNEL(pad)
SKIFF_CUDA_KERNEL(gather)
SKIFF_CUDA_KERNEL(gather_elements)
SKIFF_CUDA_KERNEL(gather_nd)
SKIFF_CUDA_KERNEL(scatter_elements)
SKIFF_CUDA_KERNEL(scatter_nd)
SKIFF_CUDA_KERNEL(tile)
SKIFF_CUDA_KERNEL(trilu)
SKIFF_CUDA_KERNEL(one_hot)
SKIFF_CUDA_KERNEL(reverse_sequence)
SKIFF_CUDA_KERNEL(cast)
SKIFF_CUDA_KERNEL(quantize)
SKIFF_CUDA_KERNEL(dequantize)
SKIFF_CUDA_KERNEL(unary)
SKIFF_CUDA_KERNEL(binary)
SKIFF_CUDA_KERNEL(where)
SKIFF_CUDA_KERNEL(reduce)
SKIFF_CUDA_KERNEL(cumulative)
SKIFF_CUDA_KERNEL(arg_reduce)
SKIFF_CUDA_KERNEL(top_k)
SKIFF_CUDA_KERNEL(softmax)
SKIFF_CUDA_KERNEL(layer_norm)
SKIFF_CUDA_KERNEL(group_norm)
SKIFF_CUDA_KERNEL(lp_norm)
SKIFF_CUDA_KERNEL(lrn)
SKIFF_CUDA_KERNEL(conv)
SKIFF_CUDA_KERNEL(conv_transpose)
SKIFF_CUDA_KERNEL(integer_conv)
SKIFF_CUDA_KERNEL(matmul)
SKIFF_CUDA_KERNEL(pool)
SKIFF_CUDA_KERNEL(resize)
SKIFF_CUDA_KERNEL(grid_sample)
SKIFF_CUDA_KERNEL(roi_align)
SKIFF_CUDA_KERNEL(non_max_suppression)
SKIFF_CUDA_KERNEL(rnn)
SKIFF_CUDA_KERNEL(attention)
SKIFF_CUDA_KERNEL(pointwise_chain)
SKIFF_CUDA_KERNEL(squeeze_excite)
SKIFF_CUDA_KERNEL(pixel_conv)

Choices list_conv_choices(const KernelSpec& spec, int most);
Choices list_matmul_choices(const KernelSpec& spec, int most);
Choices list_pointwise_chain_choices(const KernelSpec& spec, int most);
Choices list_integer_conv_choices(const KernelSpec& spec, int most);

#undef SKIFF_CUDA_KERNEL

}  // namespace skiff::cuda
