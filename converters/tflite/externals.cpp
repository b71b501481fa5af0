#include <set>

#include "converters/tflite/importer.h"
#include "converters/tflite/tensors.h"
#include "runtime/core/checked.h"

// Inputs and outputs of the graph.
namespace skiff::convert::tfl {

void Importer::add_inputs(const Cut& cut) {
  std::set<std::string> names;
  for (int tensor : cut.inputs) names.insert(model_.tensor_name(tensor));
  const auto check_name = [&](const std::string& name, const char* option) {
    require(names.contains(name), ErrorCode::invalid_argument, option, ": the model has no input '",
            name, "'");
  };
  for (const auto& [name, shape] : options_.shapes) check_name(name, "--shape");
  for (const auto& [name, bytes] : options_.bind) check_name(name, "--bind");
  for (int tensor : cut.inputs) add_input(tensor);
}

void Importer::add_input(int tensor) {
  const std::string name = model_.tensor_name(tensor);
  const tflite::Tensor& declared = model_.tensor(tensor);
  const DType dtype = dtype_of(declared.type());
  if (dtype == DType::none || declared.type() == tflite::TensorType::int4) {
    refused_[static_cast<std::size_t>(tensor)] = true;
    refusals_.push_back(
        {name, "input", message("it is of type ", type_name(declared)), kCutHelp, {}});
    return;
  }
  const Shape shape = input_shape(tensor);
  const auto bound = options_.bind.find(name);
  if (bound == options_.bind.end()) {
    set(tensor, graph_.add_input(name, dtype, shape));
  } else {
    const auto expected = checked_bytes(dtype, shape);
    require(expected && static_cast<std::size_t>(*expected) == bound->second.size(),
            ErrorCode::invalid_argument, "--bind ", name, ": ", bound->second.size(),
            " bytes were given for shape ", shape, " (", dtype, ")");
    set(tensor, graph_.add_constant(name, dtype, shape, bound->second));
  }
  if (is_quantized(declared) && declared.quantization()->details_type() == 0) {
    charge(static_cast<std::int64_t>(length(declared.quantization()->scale())) * 16);
    graph_.value(value(tensor)).quantization = quantization_of(declared, name);
  }
}

/// What --shape says, else what the file says. The interpreter of the format takes 1 for a batch
/// that is left open, and so do we; any other open extent must be given.
Shape Importer::input_shape(int tensor) {
  const std::string name = model_.tensor_name(tensor);
  const std::vector<std::int64_t> dims = declared_dims(model_.tensor(tensor));
  const auto given = options_.shapes.find(name);
  if (given != options_.shapes.end()) {
    const Shape& shape = given->second;
    bool fits = shape.rank() == static_cast<int>(dims.size()) || dims.empty();
    for (std::size_t i = 0; fits && i < dims.size(); ++i) fits = shape[static_cast<int>(i)] >= 0;
    require(fits && checked_bytes(DType::float64, shape).has_value(), ErrorCode::invalid_argument,
            "--shape ", name, ": ", shape, " does not fit the input, which has ", dims.size(),
            " axes");
    return shape;
  }
  Shape shape;
  bool open = false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    open |= dims[i] < 0 && i > 0;
    shape.push_back(dims[i] < 0 ? 1 : dims[i]);
  }
  if (open || !checked_bytes(DType::float64, shape)) {
    std::string text = "give it: --shape " + name + "=";
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (i > 0) text += 'x';
      text += dims[i] < 0 ? "?" : std::to_string(dims[i]);
    }
    refusals_.push_back({name, "input", "its shape is not known", text, {}});
    refused_[static_cast<std::size_t>(tensor)] = true;
  }
  return shape;
}

/// An external value must be the result of a node of its own and have its own name.
void Importer::add_outputs(const Cut& cut) {
  for (int tensor : cut.outputs) {
    ir::ValueId id = value(tensor);
    if (graph_.value(id).producer < 0 || graph_.is_output(id))
      id = graph_.add(fb::OpKind::identity, {}, {id}, model_.tensor_name(tensor));
    graph_.value(id).name = model_.tensor_name(tensor);
    graph_.outputs.push_back(id);
  }
}

void Importer::name_externals() {
  std::set<std::string> used;
  for (auto* list : {&graph_.inputs, &graph_.outputs})
    for (ir::ValueId id : *list) {
      std::string& name = graph_.value(id).name;
      const std::string wanted = name;
      for (int copy = 1; !used.insert(name).second; ++copy) name = message(wanted, "#", copy);
    }
}

}  // namespace skiff::convert::tfl
