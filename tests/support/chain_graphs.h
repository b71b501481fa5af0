#pragma once

#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "converters/writer.h"

// Graphs of elementwise operators, and what sessions make of them.
namespace skiff::test {

using ir::Graph;
using ir::ValueId;
using Op = fb::OpKind;
using Unary = fb::UnaryFunction;
using Binary = fb::BinaryFunction;

inline ValueId unary(Graph& g, Unary function, ValueId x, float alpha = 0.5f, float beta = 1.5f) {
  fb::UnaryAttrsT attrs;
  attrs.function = function;
  attrs.alpha = alpha;
  attrs.beta = beta;
  return g.add(Op::unary, attrs, {x}, "unary");
}

inline ValueId binary(Graph& g, Binary function, ValueId a, ValueId b, Unary then = Unary::none) {
  fb::BinaryAttrsT attrs;
  attrs.function = function;
  attrs.activation = then;
  return g.add(Op::binary, attrs, {a, b}, "binary");
}

inline ValueId constant(Graph& g, const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> numbers(static_cast<std::size_t>(shape.elements()));
  for (float& x : numbers) x = static_cast<float>(random() % 2001) / 1000 - 1;
  return g.add_constant<float>("c" + std::to_string(seed), shape, numbers);
}

inline std::vector<std::byte> file_of(const Graph& graph) {
  convert::Manifest manifest;
  manifest.name = "chains";
  return convert::write_model(graph, manifest);
}

/// After one run over fixed random inputs, one behind the other.
inline std::vector<float> outputs_of(Session& session) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    std::mt19937 random(static_cast<unsigned>(i));
    for (float& x : session.input(i).values<float>())
      x = static_cast<float>(random() % 2001) / 500 - 2;
  }
  EXPECT_TRUE(session.run().ok());
  std::vector<float> all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto values = session.output(i).values<const float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

inline void expect_equal_bits(const std::vector<float>& found, const std::vector<float>& expected,
                              const std::string& what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << what << ", " << i << ": " << found[i] << " and " << expected[i];
}

/// Layers of the steps that are chains.
inline std::vector<int> chains(const Session& session) {
  std::vector<int> layers;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    if (session.step(i).layers > 1) layers.push_back(session.step(i).layers);
  return layers;
}

}  // namespace skiff::test
