#pragma once

#include <cmath>

#include "tests/support/chain_graphs.h"

// Graphs with tensors of 8-bit integers.
namespace skiff::test {

/// How bytes stand for real numbers.
struct Bytes {
  fb::DType dtype;
  float scale;
  int zero = 0;  ///< 0: the nodes have no zero point
};

inline fb::QuantizationT quantization(std::vector<float> scales, int zero = 0) {
  fb::QuantizationT q;
  q.scale = std::move(scales);
  if (zero != 0) q.zero_point = {zero};
  return q;
}

inline std::vector<ValueId> with_scale(Graph& g, ValueId x, const Bytes& as) {
  std::vector<ValueId> operands{
      x, g.add_constant<float>("scale" + std::to_string(as.scale), Shape{}, {{as.scale}})};
  const std::string name = "zero" + std::to_string(as.zero);
  if (as.zero != 0 && as.dtype == fb::DType::int8)
    operands.push_back(g.add_constant<std::int8_t>(
        name, Shape{}, std::vector<std::int8_t>{static_cast<std::int8_t>(as.zero)}));
  else if (as.zero != 0)
    operands.push_back(g.add_constant<std::uint8_t>(
        name, Shape{}, std::vector<std::uint8_t>{static_cast<std::uint8_t>(as.zero)}));
  return operands;
}

inline ValueId quantize(Graph& g, ValueId x, const Bytes& as) {
  fb::QuantizeAttrsT attrs;
  attrs.to = as.dtype;
  const ValueId y = g.add(Op::quantize, attrs, with_scale(g, x, as), "quantize");
  g.value(y).quantization = quantization({as.scale}, as.zero);
  return y;
}

inline ValueId dequantize(Graph& g, ValueId x, const Bytes& as) {
  return g.add(Op::dequantize, fb::QuantizeAttrsT(), with_scale(g, x, as), "dequantize");
}

/// Two operands of integers and what becomes of their sum, with and without quantisation: chains of
/// 2 and 5 layers. One result is read by others too, so that it is made for them.
inline std::vector<ValueId> chains_of_integers(Graph& g, ValueId x) {
  const Bytes of_a{fb::DType::int8, 0.02f, -7}, of_b{fb::DType::uint8, 0.05f};
  const Bytes of_y{fb::DType::uint8, 0.06f, 19}, of_product{fb::DType::int8, 0.1f};
  const ValueId a = quantize(g, x, of_a), b = quantize(g, unary(g, Unary::exp, x), of_b);
  const ValueId sum = binary(g, Binary::add, dequantize(g, a, of_a), dequantize(g, b, of_b));
  const ValueId y = quantize(g, unary(g, Unary::relu, sum), of_y);
  const ValueId floats = dequantize(g, y, of_y);
  const ValueId product = binary(g, Binary::mul, floats, constant(g, {g.value(x).shape.back()}, 1));
  return {floats, product, dequantize(g, quantize(g, product, of_product), of_product)};
}

/// A convolution of integers that keeps the pixels' number.
struct Product {
  std::int64_t cout, kernel;
  Bytes y;  ///< DType::none: float32
  Unary activation = Unary::none;
  bool bias = false;
  std::int64_t groups = 1;
};

/// Scales, one for each channel, and bias are powers of two and few of their multiples, so that
/// nothing but the last rounding rounds.
inline ValueId integer_conv(Graph& g, ValueId x, const Product& p) {
  std::mt19937 random(static_cast<unsigned>(g.value_count()));
  const Shape shape{p.cout, p.kernel, p.kernel, g.value(x).shape.back() / p.groups};
  std::vector<std::int8_t> numbers(static_cast<std::size_t>(shape.elements()));
  for (std::int8_t& w : numbers)
    w = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
  const std::string name = std::to_string(g.value_count());
  const ValueId w = g.add_constant<std::int8_t>("weights" + name, shape, numbers);
  std::vector<float> scales, bias;
  for (std::int64_t c = 0; c < p.cout; ++c) {
    scales.push_back(std::ldexp(1.0f, -9 - static_cast<int>(c % 3)));
    bias.push_back(static_cast<float>(c % 5 - 2) / 4);
  }
  g.value(w).quantization = quantization(scales);
  fb::ConvAttrsT attrs;
  attrs.to = p.y.dtype;
  attrs.groups = p.groups;
  attrs.activation = p.activation;
  attrs.alpha = -0.25f, attrs.beta = 1;
  attrs.pads.assign(4, (p.kernel - 1) / 2);
  std::vector<ValueId> operands{x, w};
  if (p.bias) operands.push_back(g.add_constant<float>("bias" + name, Shape{p.cout}, bias));
  const ValueId y = g.add(Op::integer_conv, attrs, operands, "product");
  if (p.y.dtype != fb::DType::none) g.value(y).quantization = quantization({p.y.scale}, p.y.zero);
  return y;
}

/// Integer convolutions around the addition of a residual.
inline Graph residual_block(std::int64_t channels, const Bytes& inner, const Bytes& sums) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2, 5, 6, channels});
  const ValueId stored = quantize(g, x, inner);
  const ValueId first = integer_conv(g, stored, {channels, 3, inner, Unary::relu});
  const ValueId second = integer_conv(g, first, {channels, 1, inner});
  const ValueId both =
      binary(g, Binary::add, dequantize(g, second, inner), dequantize(g, first, inner));
  const ValueId y = quantize(g, unary(g, Unary::relu, both), sums);
  g.outputs = {dequantize(g, integer_conv(g, y, {channels, 1, sums}), sums)};
  return g;
}

}  // namespace skiff::test
