#include "tests/converters/pass_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "converters/dump.h"
#include "converters/passes/check.h"

namespace skiff::testing {
namespace {

std::vector<std::vector<double>> outputs_of(const Graph& graph) {
  const Graph computed = convert::compute(graph, convert::random_inputs(graph));
  std::vector<std::vector<double>> results;
  for (ValueId output : graph.outputs) results.push_back(ir::numbers(computed.value(output)));
  return results;
}

void expect_near(const Graph& graph, const std::vector<std::vector<double>>& expected,
                 double tolerance) {
  const auto actual = outputs_of(graph);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].size(), expected[i].size());
    double largest = 0;
    double worst = 0;
    for (std::size_t j = 0; j < actual[i].size(); ++j) {
      largest = std::max(largest, std::abs(expected[i][j]));
      worst = std::max(worst, std::abs(actual[i][j] - expected[i][j]));
    }
    EXPECT_LE(worst, tolerance * std::max(largest, 1e-6)) << convert::dump(graph);
  }
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (ValueId output : graph.outputs) names.push_back(graph.value(output).name);
  return names;
}

}  // namespace

ValueId constant(Graph& graph, const Shape& shape, const std::vector<float>& numbers) {
  return graph.add_constant<float>(std::to_string(graph.value_count()), shape, numbers);
}

ValueId random_constant(Graph& graph, const Shape& shape, float low, float high) {
  std::mt19937 generator(static_cast<unsigned>(graph.value_count()));
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    numbers.push_back(low + (high - low) * static_cast<float>(generator() >> 8) * 0x1p-24f);
  return constant(graph, shape, numbers);
}

ValueId transpose(Graph& graph, ValueId x, const std::vector<std::int64_t>& perm) {
  fb::TransposeAttrsT attributes;
  attributes.perm = perm;
  return graph.add(fb::OpKind::transpose, attributes, {x}, "transpose");
}

ValueId reshape(Graph& graph, ValueId x, const Shape& to) {
  fb::ShapeAttrsT attributes;
  attributes.shape.assign(to.begin(), to.end());
  return graph.add(fb::OpKind::reshape, attributes, {x}, "reshape");
}

ValueId unary(Graph& graph, fb::UnaryFunction function, ValueId x, float alpha, float beta) {
  fb::UnaryAttrsT attributes;
  attributes.function = function;
  attributes.alpha = alpha;
  attributes.beta = beta;
  return graph.add(fb::OpKind::unary, attributes, {x}, "unary");
}

ValueId binary(Graph& graph, fb::BinaryFunction function, ValueId a, ValueId b) {
  fb::BinaryAttrsT attributes;
  attributes.function = function;
  return graph.add(fb::OpKind::binary, attributes, {a, b}, "binary");
}

ValueId reduce(Graph& graph, fb::ReduceFunction function, ValueId x,
               const std::vector<std::int64_t>& axes) {
  fb::ReduceAttrsT attributes;
  attributes.function = function;
  attributes.axes = axes;
  return graph.add(fb::OpKind::reduce, attributes, {x}, "reduce");
}

ValueId nchw_conv(Graph& graph, ValueId x, std::int64_t channels, std::int64_t window) {
  const std::int64_t inputs = graph.value(x).shape[1];
  fb::ConvAttrsT attributes;
  attributes.pads.assign(4, window / 2);
  const ValueId weights = random_constant(graph, {channels, window, window, inputs});
  const ValueId nhwc = transpose(graph, x, {0, 2, 3, 1});
  const ValueId y = graph.add(fb::OpKind::conv, attributes, {nhwc, weights}, "conv");
  return transpose(graph, y, {0, 3, 1, 2});
}

std::size_t count(const Graph& graph, fb::OpKind op) {
  const auto order = graph.order();
  return static_cast<std::size_t>(std::count_if(
      order.begin(), order.end(), [&](ir::NodeId id) { return graph.node(id).op == op; }));
}

std::size_t inner_transposes(const Graph& graph) {
  std::size_t result = 0;
  for (ir::NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    if (node.op != fb::OpKind::transpose) continue;
    const bool at_edge =
        graph.value(node.inputs[0]).producer < 0 || graph.is_output(node.outputs[0]);
    result += at_edge ? 0 : 1;
  }
  return result;
}

void optimise(Graph& graph, bool (*pass)(Graph&), double tolerance) {
  const auto expected = outputs_of(graph);
  const auto names = output_names(graph);
  pass(graph);
  passes::check_graph(graph);
  EXPECT_EQ(output_names(graph), names);
  expect_near(graph, expected, tolerance);
}

void optimise(Graph& graph, double tolerance) {
  optimise(
      graph,
      [](Graph& g) {
        passes::run_pipeline(g, passes::all_groups(), {.observer = {}, .check = true});
        return true;
      },
      tolerance);
}

}  // namespace skiff::testing
