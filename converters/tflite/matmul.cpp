#include "converters/tflite/imports.h"

namespace skiff::convert::tfl {

/// x [..., K] and weights [N, K] give [M, N], or [..., N] with keep_num_dims.
void import_fully_connected(Operation& op) {
  const auto& options = op.options<tflite::FullyConnected>();
  if (options.weights_format() != 0) op.refuse("its weights are shuffled");
  const Shape w = op.shape(1);
  const Shape x = op.shape(0);
  op.check(w.rank() == 2 && w[1] > 0, "weights of shape ", w);
  const bool keep = options.keep_num_dims() && x.rank() > 0 && x.back() == w[1];
  op.check(x.elements() % w[1] == 0, "an operand of shape ", x, " for weights of shape ", w);
  const Shape rows{x.elements() / w[1], w[1]};

  fb::MatMulAttrsT attrs;
  attrs.transpose_b = true;
  const FusedActivation activation = fused_activation(options.activation());
  attrs.activation = activation.function;
  attrs.alpha = activation.alpha;
  attrs.beta = activation.beta;
  std::vector<ir::ValueId> inputs = {keep ? op.in(0) : op.reshape(op.in(0), rows), op.in(1)};
  if (op.has(2)) inputs.push_back(op.reshape(op.in(2), Shape{w[0]}));
  op.output(op.add(fb::OpKind::matmul, attrs, std::move(inputs)));
}

void import_batch_matmul(Operation& op) {
  const auto& options = op.options<tflite::BatchMatMul>();
  fb::MatMulAttrsT attrs;
  attrs.transpose_a = options.adj_x();
  attrs.transpose_b = options.adj_y();
  op.output(op.add(fb::OpKind::matmul, attrs, {op.in(0), op.in(1)}));
}

void import_embedding_lookup(Operation& op) {
  fb::GatherAttrsT attrs;
  attrs.axis = 0;
  op.output(op.add(fb::OpKind::gather, attrs, {op.in(1), op.in(0)}));
}

}  // namespace skiff::convert::tfl
