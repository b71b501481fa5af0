#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

// Several nodes in one. Each rule needs the values between them to have no other reader.

/// Activations from their parts, as exporters write them: hard swish, SiLU, GELU (erf and tanh),
/// mish, softplus, sigmoid, leaky ReLU, square roots and squares.
bool fuse_activations(Graph& graph);
/// layer_norm (also its form without a mean) and lp_norm from reductions and arithmetic, scale and
/// bias with them.
bool fuse_norms(Graph& graph);
/// Products and sums with constants, a number or one a channel, into the weights and bias of the
/// conv, conv_transpose or matmul beside them; numbers into the scale of matmul and softmax.
bool fuse_affine(Graph& graph);
/// attention from two products with a softmax between them, a mask of any form and, where the heads
/// are split off and put back by transposes, those too.
bool fuse_attention(Graph& graph);
/// A padding by zeros into the conv or pool behind it.
bool fuse_pads(Graph& graph);
/// A sum with a tensor of the same shape becomes the residual of a conv or matmul; activations go
/// into the conv, conv_transpose, matmul or binary before them.
bool fuse_epilogues(Graph& graph);

}  // namespace skiff::passes
