#include "runtime/core/checked.h"
#include "runtime/ops/op_name.h"

namespace skiff {
namespace {

void check_inputs(const OpDef& def, const NodeView& node) {
  const int count = node.input_count();
  const int least = def.min_inputs;
  require(count >= least, ErrorCode::invalid_model, "node '", node.name, "' (", def.name, ") has ",
          count, " inputs, needs ", least);
  require(def.max_inputs == kVariadic || count <= def.max_inputs, ErrorCode::invalid_model,
          "node '", node.name, "' (", def.name, ") has ", count, " inputs, takes at most ",
          def.max_inputs);
  const int required = def.max_inputs == kVariadic ? count : least;
  for (int i = 0; i < required; ++i)
    require(node.has_input(i), ErrorCode::invalid_model, "node '", node.name, "' (", def.name,
            ") lacks input ", i);
}

void check_outputs(const OpDef& def, const NodeView& node, std::size_t count) {
  require(count >= static_cast<std::size_t>(def.min_outputs) &&
              (def.max_outputs == kVariadic || count <= static_cast<std::size_t>(def.max_outputs)),
          ErrorCode::invalid_model, "node '", node.name, "' (", def.name, ") has ", count,
          " outputs, may have ", def.min_outputs, " to ", def.max_outputs);
}

}  // namespace

void infer_outputs(const NodeView& node, fb::Attrs attrs_type, std::span<TensorInfo> outputs) {
  const OpDef* def = find_op(node.op);
  require(def != nullptr && def->infer != nullptr, ErrorCode::unsupported, "node '", node.name,
          "': operator ", name_of(node.op), " (", static_cast<int>(node.op),
          ") is not in this version of Skiff");
  require(node.version == 1, ErrorCode::unsupported, "node '", node.name, "': version ",
          node.version, " of operator ", def->name, " is newer than this Skiff");
  require(attrs_type == def->attrs, ErrorCode::invalid_model, "node '", node.name,
          "': attributes of type ", name_of(attrs_type), ", but ", def->name, " takes ",
          name_of(def->attrs));
  require(def->attrs == fb::Attrs::NONE || node.attributes != nullptr, ErrorCode::invalid_model,
          "node '", node.name, "' (", def->name, ") lacks its attributes");
  check_inputs(*def, node);
  check_outputs(*def, node, outputs.size());
  def->infer(node, outputs);
  for (const TensorInfo& output : outputs)
    require(output.dtype != DType::none && checked_bytes(output.dtype, output.shape).has_value(),
            ErrorCode::invalid_model, "node '", node.name, "' (", def->name,
            ") would give a tensor of shape ", output.shape, ", which is too large");
}

}  // namespace skiff
