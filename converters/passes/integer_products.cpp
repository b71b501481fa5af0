#include "converters/passes/integer_products.h"

#include <algorithm>

#include "converters/passes/tensor_scale.h"
#include "converters/passes/weight_grid.h"
#include "runtime/ops/integer_conv.h"

namespace skiff::passes {
namespace {

using fb::OpKind;

/// A quantized tensor.
struct Quantized {
  ValueId value;
  TensorScale scale;
};

/// What was dequantized to `floats`.
std::optional<Quantized> source_of(const Rewriter& rewriter, ValueId floats) {
  const ir::Node* node = rewriter.producer(floats, OpKind::dequantize);
  if (node == nullptr || !is_byte(rewriter.graph.value(node->inputs[0]).dtype)) return std::nullopt;
  const auto scale = scale_of(rewriter, *node, floats);
  if (!scale) return std::nullopt;
  return Quantized{node->inputs[0], *scale};
}

fb::QuantizationT record(const TensorScale& scale) {
  fb::QuantizationT q;
  q.scale = {static_cast<float>(scale.scale)};
  q.zero_point = {static_cast<std::int64_t>(scale.zero)};
  return q;
}

/// Notes the scale with the value; false where another one stands there.
bool note_scale(Graph& graph, ValueId id, const TensorScale& scale) {
  const fb::QuantizationT q = record(scale);
  auto& known = graph.value(id).quantization;
  if (known) {
    const bool no_zero = known->zero_point.empty() && q.zero_point[0] == 0;
    return known->scale == q.scale && (no_zero || known->zero_point == q.zero_point);
  }
  known = q;
  return true;
}

/// int8 weights, a row an output channel, from their float32 constant of `rows` rows.
struct IntegerWeights {
  std::vector<std::int8_t> steps;
  std::vector<float> scales;
};
std::optional<IntegerWeights> on_grid(std::span<const float> weights, std::int64_t rows) {
  const std::size_t depth = weights.size() / static_cast<std::size_t>(rows);
  IntegerWeights result;
  result.steps.reserve(weights.size());
  for (std::size_t at = 0; at < weights.size(); at += depth) {
    const auto row = weights.subspan(at, depth);
    const auto grid = grid_of(row);
    if (!grid) return std::nullopt;
    result.scales.push_back(grid->scale);
    for (const float weight : row) result.steps.push_back(grid->step(weight));
  }
  return result;
}

ValueId add_weights(Graph& graph, const std::string& name, const Shape& shape,
                    const IntegerWeights& weights) {
  const ValueId id = graph.add_constant<std::int8_t>(name, shape, weights.steps);
  fb::QuantizationT q;
  q.scale = weights.scales;
  if (!q.scale.empty() &&
      std::ranges::all_of(q.scale, [&](float scale) { return scale == q.scale[0]; }))
    q.scale.resize(1);
  q.zero_point.assign(q.scale.size(), 0);
  graph.value(id).quantization = q;
  return id;
}

/// A product as a convolution: what it multiplies, and what was fused behind it.
struct Product {
  Shape input;              ///< of the integers: [N, S..., C]
  Shape weights;            ///< [Cout, K..., C / groups]
  std::vector<float> rows;  ///< of that shape
  ValueId bias = kAbsent, residual = kAbsent;
  fb::ConvAttrsT attrs;
};

Product of_conv(const Rewriter& rewriter, const ir::Node& node) {
  const ir::Value& w = rewriter.graph.value(node.inputs[1]);
  const auto floats = ir::floats_of(w);
  return {.input = rewriter.shape(node.inputs[0]),
          .weights = w.shape,
          .rows = {floats.begin(), floats.end()},
          .bias = operand(node, 2),
          .residual = operand(node, 3),
          .attrs = node.attrs.unpack<fb::ConvAttrs>()};
}

/// a [..., M, K] times one matrix: a window of one over M pixels of K channels.
std::optional<Product> of_matmul(const Rewriter& rewriter, const ir::Node& node) {
  const auto& attributes = attrs<fb::MatMulAttrs>(node);
  const Shape& a = rewriter.shape(node.inputs[0]);
  const ir::Value& b = rewriter.graph.value(node.inputs[1]);
  if (b.shape.rank() != 2 || a.rank() < 1 || (attributes.transpose_a() && a.rank() > 1))
    return std::nullopt;
  const bool transposed = attributes.transpose_b();
  const std::int64_t n = b.shape[transposed ? 0 : 1], k = b.shape[transposed ? 1 : 0];
  if (n == 0 || k == 0 || a.elements() == 0) return std::nullopt;
  Product p;
  p.input = a.rank() == 3 ? a : Shape{1, a.elements() / k, k};
  p.weights = {n, 1, k};
  const auto floats = ir::floats_of(b);
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t i = 0; i < k; ++i)
      p.rows.push_back(attributes.scale() *
                       floats[static_cast<std::size_t>(transposed ? row * k + i : i * n + row)]);
  p.bias = operand(node, 2), p.residual = operand(node, 3);
  p.attrs.activation = attributes.activation();
  p.attrs.alpha = attributes.alpha(), p.attrs.beta = attributes.beta();
  return p;
}

/// Of a convolution or matrix product with constant weights.
std::optional<Product> product_of(const Rewriter& rewriter) {
  const ir::Node& node = rewriter.node();
  if (!rewriter.is_constant(node.inputs[1]) ||
      rewriter.graph.value(node.inputs[1]).dtype != DType::float32)
    return std::nullopt;
  if (node.op == OpKind::matmul) return of_matmul(rewriter, node);
  return of_conv(rewriter, node);
}

/// The node that quantizes the product's result and is its only reader, when the integers may be
/// given at once.
struct Sink {
  ValueId result;
  TensorScale scale;
  fb::DType to;
};
std::optional<Sink> sink_of(const Rewriter& rewriter, const Product& product) {
  using F = fb::UnaryFunction;
  const ValueId y = rewriter.node().outputs[0];
  const F f = product.attrs.activation;
  if (product.residual != kAbsent || (f != F::none && f != F::relu && f != F::clip))
    return std::nullopt;
  if (!rewriter.single_use(y)) return std::nullopt;
  const ir::Node& reader = rewriter.node(rewriter.readers(y)[0]);
  if (reader.op != OpKind::quantize || reader.inputs[0] != y) return std::nullopt;
  const auto scale = scale_of(rewriter, reader, y);
  const fb::DType to = attrs<fb::QuantizeAttrs>(reader).to();
  if (!scale || !is_byte(static_cast<DType>(to))) return std::nullopt;
  return Sink{reader.outputs[0], *scale, to};
}

/// y + residual, and the activation behind it.
ValueId add_residual(Rewriter& rewriter, ValueId y, const Product& product) {
  fb::BinaryAttrsT attributes;
  attributes.activation = product.attrs.activation;
  attributes.alpha = product.attrs.alpha, attributes.beta = product.attrs.beta;
  return rewriter.add(OpKind::binary, attributes, {y, product.residual},
                      rewriter.graph.value(y).name + "/residual");
}

void replace_by_integers(Rewriter& rewriter, const Quantized& x, const Product& product,
                         const IntegerWeights& weights) {
  const std::string name = rewriter.node().name;
  const ValueId y = rewriter.node().outputs[0];
  const Shape result = rewriter.shape(y);
  const auto sink = sink_of(rewriter, product);
  fb::ConvAttrsT attributes = product.attrs;
  if (sink) attributes.to = sink->to;
  if (product.residual != kAbsent) attributes.activation = fb::UnaryFunction::none;
  const ValueId input = rewriter.reshape(x.value, product.input);
  note_scale(rewriter.graph, input, x.scale);
  const ValueId w = add_weights(rewriter.graph, name + "/weights", product.weights, weights);
  std::vector<ValueId> operands{input, w};
  if (product.bias != kAbsent) operands.push_back(product.bias);
  ValueId made = rewriter.add(OpKind::integer_conv, attributes, operands, name);
  if (sink) note_scale(rewriter.graph, made, sink->scale);
  made = rewriter.reshape(made, result);
  if (product.residual != kAbsent) made = add_residual(rewriter, made, product);
  rewriter.replace(sink ? sink->result : y, made);
}

bool to_integers(Rewriter& rewriter) {
  const ir::Node& node = rewriter.node();
  if (node.op != OpKind::conv && node.op != OpKind::matmul) return false;
  const auto x = source_of(rewriter, node.inputs[0]);
  if (!x) return false;
  const auto product = product_of(rewriter);
  if (!product) return false;
  const std::int64_t channels = product->weights[0];
  const auto depth =
      static_cast<std::int64_t>(product->rows.size()) / std::max<std::int64_t>(1, channels);
  if (channels == 0 || depth == 0 || depth > kMostIntegerProducts) return false;
  const auto weights = on_grid(product->rows, channels);
  if (!weights || !note_scale(rewriter.graph, x->value, x->scale)) return false;
  replace_by_integers(rewriter, *x, *product, *weights);
  return true;
}

}  // namespace

bool integer_products(Graph& graph) { return Rewriter(graph).for_each(to_integers); }

}  // namespace skiff::passes
