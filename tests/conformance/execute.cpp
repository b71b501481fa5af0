#include "converters/ir/evaluate.h"
#include "runtime/core/error.h"
#include "tests/conformance/run_case.h"

namespace skiff::conformance {

Tensors execute(convert::Imported imported, const Tensors& inputs, const std::string&) {
  ir::Graph& graph = imported.graph;
  for (ir::ValueId input : graph.inputs)
    graph.value(input).constant = inputs.at(graph.value(input).name).bytes;
  for (ir::NodeId node : graph.order())
    require(ir::evaluate(graph, node), ErrorCode::unsupported, "node '", graph.node(node).name,
            "' (", name_of(graph.node(node).op), ") cannot be computed");
  Tensors results;
  for (ir::ValueId output : graph.outputs) {
    const ir::Value& value = graph.value(output);
    results[value.name] = {value.dtype, value.shape, *value.constant};
  }
  return results;
}

}  // namespace skiff::conformance
