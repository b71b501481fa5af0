#include "converters/onnx/importer.h"
#include "converters/onnx/table.h"

// Nested graphs, written out while importing when what decides is known.
namespace skiff::onnx {
namespace {

const GraphProto& body_of(Op& op, std::string_view name) {
  const AttributeProto* attribute = op.find(name);
  op.check(attribute != nullptr && attribute->has_g(), "attribute ", name, " is no graph");
  return attribute->g();
}

void import_if(Op& op) {
  op.ignore({"then_branch", "else_branch"});
  const bool taken = op.known_integer(0, "the condition") != 0;
  const GraphProto& branch = body_of(op, taken ? "then_branch" : "else_branch");
  const std::vector<Entry> results = op.importer.import_body(op, branch, {});
  for (int i = 0; i < op.outputs() && i < static_cast<int>(results.size()); ++i)
    if (op.wants(i))
      op.importer.define(op.frame, op.node.output(i), results[static_cast<std::size_t>(i)]);
}

constexpr Adapter kAdapters[] = {
    {"If", {1, 11, 13, 16, 19, 21, 23, 24, 25}, import_if},
};

}  // namespace

std::span<const Adapter> control_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
