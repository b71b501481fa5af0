#include "converters/passes/check.h"

#include <vector>

namespace skiff::passes {
namespace {

using ir::NodeId;
using ir::ValueId;

template <typename... Pieces>
void expect(bool condition, const ir::Graph& graph, const Pieces&... pieces) {
  require(condition, ErrorCode::internal, "graph '", graph.name, "': ", pieces...);
}

void check_values(const ir::Graph& graph) {
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ValueId>(i));
    if (!value.constant) continue;
    expect(value.producer < 0, graph, "constant '", value.name, "' has a producer");
    const auto bytes = checked_bytes(value.dtype, value.shape);
    expect(bytes && static_cast<std::size_t>(*bytes) == value.constant->size(), graph, "constant '",
           value.name, "' has ", value.constant->size(), " bytes for shape ", value.shape);
  }
}

void check_outputs(const ir::Graph& graph, NodeId id) {
  const ir::Node& node = graph.node(id);
  std::vector<TensorInfo> inferred(node.outputs.size());
  ir::Graph::ViewStorage storage;
  infer_outputs(graph.view(id, storage), node.attrs.type(), inferred);
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    const ir::Value& output = graph.value(node.outputs[i]);
    expect(output.producer == id, graph, "'", output.name, "' is not known to come from node '",
           node.name, "'");
    expect(output.dtype == inferred[i].dtype && output.shape == inferred[i].shape, graph, "'",
           output.name, "' is ", output.dtype, " ", output.shape, ", its rule says ",
           inferred[i].dtype, " ", inferred[i].shape);
  }
}

}  // namespace

void check_graph(const ir::Graph& graph) {
  check_values(graph);
  std::vector<char> known(graph.value_count(), 0);
  for (std::size_t i = 0; i < graph.value_count(); ++i)
    known[i] = graph.value(static_cast<ValueId>(i)).producer < 0 ? 1 : 0;
  for (NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    for (ValueId input : node.inputs) {
      if (input == ir::kAbsent) continue;
      expect(input >= 0 && static_cast<std::size_t>(input) < known.size(), graph, "node '",
             node.name, "' reads value ", input, ", which does not exist");
      expect(known[static_cast<std::size_t>(input)] != 0, graph, "node '", node.name, "' reads '",
             graph.value(input).name, "' before it is computed");
    }
    check_outputs(graph, id);
    for (ValueId output : node.outputs) known[static_cast<std::size_t>(output)] = 1;
  }
  for (ValueId output : graph.outputs)
    expect(known[static_cast<std::size_t>(output)] != 0, graph, "output '",
           graph.value(output).name, "' is not computed");
}

}  // namespace skiff::passes
