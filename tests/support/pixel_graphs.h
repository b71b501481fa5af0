#pragma once

#include <algorithm>

#include "tests/support/chain_graphs.h"

// Graphs that begin with pictures as uint8, and what sessions make of them.
namespace skiff::test {

inline ValueId picture(Graph& g, const Shape& shape) {
  return g.add_input("picture", DType::uint8, shape);
}

inline ValueId as_floats(Graph& g, ValueId x) {
  return g.add(Op::cast, fb::CastAttrsT(), {x}, "cast");
}

/// A constant of numbers in [0.5, 1.5), which can be divided by.
inline ValueId factors(Graph& g, const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> numbers(static_cast<std::size_t>(shape.elements()));
  for (float& x : numbers) x = static_cast<float>(random() % 1000) / 1000 + 0.5f;
  return g.add_constant<float>("f" + std::to_string(seed), shape, numbers);
}

/// A picture cast and brought to about [-1, 1], in two steps.
inline ValueId normalised(Graph& g, const Shape& shape) {
  const std::int64_t c = shape.back();
  ValueId x = as_floats(g, picture(g, shape));
  x = binary(g, Binary::mul, x,
             g.add_constant<float>("scale", {c},
                                   std::vector<float>(static_cast<std::size_t>(c), 1 / 127.0f)));
  return binary(g, Binary::add, x, constant(g, {c}, 77));
}

/// A convolution to `channels` whose window has `kernel` pixels along every axis.
inline ValueId conv(Graph& g, ValueId x, std::int64_t channels, std::int64_t kernel,
                    fb::ConvAttrsT attrs = {}, unsigned seed = 5) {
  const Shape& from = g.value(x).shape;
  Shape window{channels};
  for (int axis = 1; axis + 1 < from.rank(); ++axis) window.push_back(kernel);
  window.push_back(from.back() / attrs.groups);
  return g.add(Op::conv, attrs, {x, constant(g, window, seed), constant(g, {channels}, seed + 1)},
               "conv" + std::to_string(seed));
}

/// Stride 2 and padding all around, as the first convolutions of networks have it.
inline fb::ConvAttrsT halving() {
  fb::ConvAttrsT attrs;
  attrs.strides = {2, 2};
  attrs.pads = {1, 1, 1, 1};
  attrs.activation = Unary::relu;
  return attrs;
}

/// After one run over fixed random pixels and numbers, one output behind the other.
inline std::vector<float> outputs_of_pixels(Session& session) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    std::mt19937 random(static_cast<unsigned>(i));
    const Tensor input = session.input(i);
    if (input.dtype() == DType::float32)
      for (float& x : input.values<float>()) x = static_cast<float>(random() % 2001) / 1000 - 1;
    else
      for (std::byte& x : input.bytes()) x = static_cast<std::byte>(random());
  }
  EXPECT_TRUE(session.run().ok());
  std::vector<float> all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto values = session.output(i).values<const float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

}  // namespace skiff::test
