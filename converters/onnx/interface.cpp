#include <algorithm>

#include "converters/onnx/importer.h"

// The borders of the imported graph: which nodes are needed, inputs, outputs.
namespace skiff::onnx {
namespace {

// Every name a node reads, those of nested graphs included.
void read_names(const NodeProto& node, std::vector<std::string>& names) {
  names.insert(names.end(), node.input().begin(), node.input().end());
  for (const AttributeProto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (const NodeProto& inner : attribute.g().node()) read_names(inner, names);
    for (const ValueInfoProto& output : attribute.g().output()) names.push_back(output.name());
  }
}

const char* kind_of(const TypeProto& type) {
  switch (type.value_case()) {
    case TypeProto::kTensorType:
      return "a tensor";
    case TypeProto::kSequenceType:
      return "a sequence";
    case TypeProto::kOptionalType:
      return "an optional";
    case TypeProto::kMapType:
      return "a map";
    case TypeProto::kSparseTensorType:
      return "a sparse tensor";
    default:
      return "of no type";
  }
}

std::string dims_text(const TensorShapeProto& shape) {
  std::string text = "[";
  for (const auto& dim : shape.dim()) {
    if (text.size() > 1) text += ", ";
    text += dim.has_dim_value()       ? std::to_string(dim.dim_value())
            : dim.dim_param().empty() ? "?"
                                      : dim.dim_param();
  }
  return text + "]";
}

void check_shape(const std::string& name, const Shape& given, const TensorShapeProto& declared) {
  bool fits = given.rank() == declared.dim_size();
  for (int axis = 0; fits && axis < given.rank(); ++axis) {
    const auto& dim = declared.dim(axis);
    fits = !dim.has_dim_value() || dim.dim_value() < 0 || dim.dim_value() == given[axis];
  }
  require(fits, ErrorCode::invalid_argument, "--shape ", name, " is ", given,
          ", but the model has ", dims_text(declared));
}

}  // namespace

void Importer::find_needed() {
  const GraphProto& graph = model_.graph();
  outputs_ = options_.to;
  if (outputs_.empty())
    for (const ValueInfoProto& output : graph.output()) outputs_.push_back(output.name());
  require(!outputs_.empty(), ErrorCode::invalid_model, "the model has no output");
  std::unordered_map<std::string, int> producers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& output : graph.node(i).output())
      if (!output.empty()) producers.emplace(output, i);
  for (const std::string& name : options_.from)
    require(producers.count(name) != 0 || infos_.count(name) != 0, ErrorCode::not_found, "--from ",
            name, ": the model has no such tensor");
  for (const std::string& name : options_.to)
    require(producers.count(name) != 0 || infos_.count(name) != 0, ErrorCode::not_found, "--to ",
            name, ": the model has no such tensor");

  needed_.assign(static_cast<std::size_t>(graph.node_size()), 0);
  std::vector<std::string> open = outputs_;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (name.empty() || !needed_names_.insert(name).second) continue;
    if (std::find(options_.from.begin(), options_.from.end(), name) != options_.from.end())
      continue;
    const auto producer = producers.find(name);
    if (producer == producers.end()) continue;
    char& needed = needed_[static_cast<std::size_t>(producer->second)];
    if (!needed) read_names(graph.node(producer->second), open);
    needed = 1;
  }
}

void Importer::add_inputs(Frame& frame) {
  for (const auto& [name, shape] : options_.shapes)
    require(infos_.count(name) != 0 || needed_names_.count(name) != 0, ErrorCode::not_found,
            "--shape ", name, ": the model has no such input");
  std::vector<std::string> names = options_.from;
  for (const ValueInfoProto& input : model_.graph().input()) {
    const std::string& name = input.name();
    if (frame.initializers.count(name) != 0 && options_.shapes.count(name) == 0) continue;
    const bool cut = !options_.from.empty() || !options_.to.empty();
    if (cut && needed_names_.count(name) == 0) continue;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (const auto& [name, bytes] : options_.bind)
    require(std::find(names.begin(), names.end(), name) != names.end(), ErrorCode::not_found,
            "--bind ", name, ": the model has no such input");
  for (const std::string& name : names) add_input(frame, name);
}

void Importer::add_input(Frame& frame, const std::string& name) {
  require(frame.entries.count(name) == 0, ErrorCode::invalid_model, "input '", name,
          "' is declared twice");
  frame.initializers.erase(name);
  const auto info = infos_.find(name);
  DType dtype = DType::float32;  // of a cut tensor that the model says nothing about
  std::optional<Shape> shape;
  if (info != infos_.end()) {
    const TypeProto& type = info->second->type();
    if (type.value_case() != TypeProto::kTensorType) {
      refusals_.push_back({name, "input", message("it is ", kind_of(type), ", not a tensor"), {}});
      frame.entries[name] = {.kind = Entry::Kind::refused};
      return;
    }
    const auto known = find_dtype(type.tensor_type().elem_type());
    if (!known) {
      refusals_.push_back(
          {name,
           "input",
           message("its elements are of type ", onnx_type_name(type.tensor_type().elem_type())),
           {}});
      frame.entries[name] = {.kind = Entry::Kind::refused};
      return;
    }
    dtype = *known;
    if (type.tensor_type().has_shape()) shape = static_shape(type.tensor_type().shape());
  }
  const auto given = options_.shapes.find(name);
  if (given != options_.shapes.end()) {
    if (options_.exported == nullptr && info != infos_.end() &&
        info->second->type().tensor_type().has_shape())
      check_shape(name, given->second, info->second->type().tensor_type().shape());
    shape = given->second;
  }
  if (const auto bound = options_.bind.find(name); bound != options_.bind.end()) {
    // A vector's length follows from its bytes.
    const auto count = static_cast<std::int64_t>(bound->second.size() / size_of(dtype));
    if (!shape) shape = Shape{count};
    frame.entries[name] = {.tensor = main_.graph.add_constant(name, dtype, *shape, bound->second)};
    return;
  }
  require(
      shape.has_value(), ErrorCode::invalid_argument, "input '", name, "' has the shape ",
      info == infos_.end() ? "(unknown)" : dims_text(info->second->type().tensor_type().shape()),
      ", which is not fixed: give it with --shape ", name, "=...");
  require(checked_bytes(dtype, *shape).has_value(), ErrorCode::invalid_model, "input '", name,
          "' has the shape ", *shape, ", which no tensor can have");
  shapes_[name] = *shape;
  frame.entries[name] = {.tensor = main_.graph.add_input(name, dtype, *shape)};
}

void Importer::set_outputs(Frame& frame) {
  for (const std::string& name : outputs_) {
    try {
      ValueId id = value(frame, name);
      // An output is a value of its own: not an input, not a constant, not another output.
      if (main_.graph.value(id).producer < 0 || main_.graph.is_output(id)) {
        builder().begin(name, "output '" + name + "' (ONNX)");
        id = main_.graph.add(fb::OpKind::identity, {}, {id}, name);
      }
      main_.graph.value(id).name = name;
      main_.graph.outputs.push_back(id);
    } catch (const Refuse& why) {
      refusals_.push_back({name, "output", why.reason, why.help});
    }
  }
}

void Importer::release_unused() {
  main_.graph.remove_dead();
  const auto users = main_.graph.users();
  for (std::size_t i = 0; i < users.size(); ++i)
    if (users[i].empty()) main_.graph.value(static_cast<ValueId>(i)).constant.reset();
}

}  // namespace skiff::onnx
