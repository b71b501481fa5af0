#pragma once

#include "tests/support/chain_graphs.h"

// Graphs that weigh an image's channels by a look at all of it.
namespace skiff::test {

/// A convolution of one pixel to `channels`.
inline ValueId pixel_conv(Graph& g, ValueId x, std::int64_t channels, Unary then, unsigned seed,
                          fb::ConvAttrsT attrs = {}) {
  const std::int64_t from = g.value(x).shape.back(), window = attrs.pads.empty() ? 1 : 3;
  attrs.activation = then;
  attrs.alpha = 0.25f, attrs.beta = 0.5f;
  const ValueId weights = constant(g, {channels, window, window, from}, seed);
  return g.add(Op::conv, attrs, {x, weights, constant(g, {channels}, seed + 1)}, "conv");
}

inline ValueId mean_of(Graph& g, ValueId x, std::vector<std::int64_t> axes = {1, 2},
                       fb::ReduceFunction function = fb::ReduceFunction::mean) {
  fb::ReduceAttrsT attrs;
  attrs.function = function;
  attrs.axes = std::move(axes);
  return g.add(Op::reduce, attrs, {x}, "mean");
}

/// Gates for the channels of x.
inline ValueId gates(Graph& g, ValueId x, std::int64_t hidden, unsigned seed) {
  const std::int64_t channels = g.value(x).shape.back();
  const ValueId reduced = pixel_conv(g, mean_of(g, x), hidden, Unary::relu, seed);
  return pixel_conv(g, reduced, channels, Unary::hard_sigmoid, seed + 2);
}

inline ValueId weighted(Graph& g, ValueId x, std::int64_t hidden, unsigned seed) {
  return binary(g, Binary::mul, x, gates(g, x, hidden, seed));
}

}  // namespace skiff::test
