#include "tests/converters/tflite_builder.h"

#include "converters/ir/evaluate.h"

namespace skiff::test {

void start_variables(ir::Graph& graph) {
  for (std::size_t i = 0; i < graph.variables.size(); ++i) {
    ir::Value& value = graph.value(graph.inputs[graph.visible_inputs().size() + i]);
    value.constant = graph.variables[i].initial;
    value.constant->resize(static_cast<std::size_t>(value.shape.elements()) * size_of(value.dtype));
  }
}

ir::Value computed_value(TfliteBuilder& builder, int output) {
  convert::Imported imported = convert::import_tflite_bytes(builder.finish({}, {output}), {});
  ir::Graph& graph = imported.graph;
  start_variables(graph);
  for (ir::NodeId node : graph.order())
    require(ir::evaluate(graph, node), ErrorCode::internal, "node '", graph.node(node).name,
            "' was not computed");
  return graph.value(graph.outputs.at(0));
}

std::vector<double> computed(TfliteBuilder& builder, int output) {
  return ir::numbers(computed_value(builder, output));
}

std::vector<float> counting(std::size_t n, float scale) {
  std::vector<float> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = static_cast<float>(i + 1) * scale;
  return numbers;
}

std::vector<float> noise(std::size_t n, unsigned seed) {
  std::vector<float> numbers(n);
  for (float& number : numbers) {
    seed = seed * 1664525U + 1013904223U;
    number = static_cast<float>(seed >> 16) / 32768.0F - 1;
  }
  return numbers;
}

}  // namespace skiff::test
