#include "converters/dump.h"

#include <flatbuffers/minireflect.h>
#include <fmt/format.h>

#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

using ir::ValueId;

std::string operand(const ir::Graph& graph, ValueId id) {
  if (id == ir::kAbsent) return "-";
  const ir::Value& value = graph.value(id);
  return fmt::format("{}:{}{}{}", value.name, name_of(value.dtype), message(value.shape),
                     value.constant ? " const" : "");
}

std::string operands(const ir::Graph& graph, const std::vector<ValueId>& ids) {
  std::string text;
  for (ValueId id : ids) {
    if (!text.empty()) text += ", ";
    text += operand(graph, id);
  }
  return text;
}

}  // namespace

std::string to_text(const ir::Attributes& attributes) {
  if (attributes.table() == nullptr) return "";
  const flatbuffers::TypeTable* members = fb::AttrsTypeTable();
  const auto& code = members->type_codes[static_cast<std::size_t>(attributes.type())];
  flatbuffers::ToStringVisitor visitor("", false, "");
  flatbuffers::IterateObject(static_cast<const std::uint8_t*>(attributes.table()),
                             members->type_refs[code.sequence_ref](), &visitor);
  return visitor.s;
}

namespace {

std::string indented(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    end = text.find('\n', begin) + 1;
    result += "    " + text.substr(begin, end - begin);
  }
  return result;
}

}  // namespace

std::string dump(const ir::Graph& graph) {
  std::string text = fmt::format("graph {}\ninputs   {}\noutputs  {}\n", graph.name,
                                 operands(graph, graph.inputs), operands(graph, graph.outputs));
  for (ir::NodeId id : graph.order()) {
    const ir::Node& node = graph.node(id);
    text += fmt::format("{} '{}' {} ({}) -> {}\n", name_of(node.op), node.name, to_text(node.attrs),
                        operands(graph, node.inputs), operands(graph, node.outputs));
    for (const ir::Graph& body : node.bodies) text += indented(dump(body));
  }
  return text;
}

}  // namespace skiff::convert
