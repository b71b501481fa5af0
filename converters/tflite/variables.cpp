#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "converters/tflite/importer.h"
#include "converters/tflite/imports.h"
#include "converters/tflite/tensors.h"

// Variables. They become values of the graph: what each holds is known by value wherever a node
// reads it, and the last one is kept for the next run.
namespace skiff::convert::tfl {
namespace {

std::string text(const flatbuffers::String* string) {
  return length(string) == 0 ? std::string() : string->str().substr(0, 512);
}

/// The same in every graph of a file.
std::string key_of(const tflite::Operator& op) {
  const auto* options = op.options_as<tflite::VarHandle>();
  return options == nullptr ? "/" : text(options->container()) + "/" + text(options->shared_name());
}

/// Calls `visit(graph, operator)` for all operators of the file.
template <typename Visit>
void each_operator(const Model& model, const Visit& visit) {
  for (std::size_t g = 0; g < model.graph_count(); ++g) {
    const Model graph = model.at(static_cast<std::int64_t>(g));
    for (std::size_t i = 0; i < length(graph.main().operators()); ++i)
      visit(graph, *graph.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i)));
  }
}

/// Graphs that give variables their first values.
std::vector<bool> initialisers(const Model& model) {
  std::vector<bool> found(model.graph_count(), false);
  each_operator(model, [&](const Model& graph, const tflite::Operator& op) {
    const auto* options = op.options_as<tflite::CallOnce>();
    if (graph.builtin(op) != tflite::Builtin::CALL_ONCE || options == nullptr) return;
    const std::int64_t number = options->graph();
    if (number >= 0 && number < static_cast<std::int64_t>(found.size()))
      found[static_cast<std::size_t>(number)] = true;
  });
  return found;
}

void mark(const Model& model, std::int64_t graph, std::vector<bool>& seen, bool& found) {
  if (graph < 0 || graph >= static_cast<std::int64_t>(seen.size()) ||
      seen[static_cast<std::size_t>(graph)])
    return;
  seen[static_cast<std::size_t>(graph)] = true;
  const Model at = model.at(graph);
  for (std::size_t i = 0; i < length(at.main().operators()); ++i) {
    const tflite::Operator& op =
        *at.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
    const tflite::Builtin builtin = at.builtin(op);
    found |= builtin == tflite::Builtin::READ_VARIABLE ||
             builtin == tflite::Builtin::ASSIGN_VARIABLE || !state_tensors(at, op).empty();
    if (const auto* branch = op.options_as<tflite::If>()) {
      mark(model, branch->then_graph(), seen, found);
      mark(model, branch->else_graph(), seen, found);
    }
    if (const auto* loop = op.options_as<tflite::While>()) {
      mark(model, loop->condition_graph(), seen, found);
      mark(model, loop->body_graph(), seen, found);
    }
    if (const auto* composite = op.options_2_as_Composite())
      mark(model, composite->graph(), seen, found);
  }
}

/// The tensor's declared shape; its extents are known.
std::optional<Shape> fixed_shape(const Model& model, int tensor) {
  const std::vector<std::int64_t> dims = declared_dims(model.tensor(tensor));
  const bool open = std::any_of(dims.begin(), dims.end(), [](auto extent) { return extent < 0; });
  if (open || !checked_bytes(dtype_of(model.tensor(tensor).type()), Shape(dims))) return {};
  return Shape(dims);
}

/// Variables that have no operators of their own.
std::vector<FileVariable> find_states(const Model& model) {
  std::vector<FileVariable> states;
  std::set<std::string> keys;
  each_operator(model, [&](const Model& graph, const tflite::Operator& op) {
    for (int tensor : state_tensors(graph, op)) {
      if (!keys.insert(state_key(graph, tensor)).second) continue;
      states.push_back({.key = state_key(graph, tensor),
                        .name = graph.tensor_name(tensor),
                        .dtype = dtype_of(graph.tensor(tensor).type()),
                        .shape = fixed_shape(graph, tensor).value_or(Shape()),
                        .assigned = true});
    }
  });
  return states;
}

}  // namespace

std::vector<FileVariable> find_variables(const Model& model) {
  std::vector<FileVariable> variables;
  each_operator(model, [&](const Model& graph, const tflite::Operator& op) {
    if (graph.builtin(op) != tflite::Builtin::VAR_HANDLE) return;
    const std::string key = key_of(op);
    const auto same = [&](const FileVariable& v) { return v.key == key; };
    if (std::none_of(variables.begin(), variables.end(), same))
      variables.push_back({.key = key, .name = key.substr(key.find('/') + 1)});
  });
  if (variables.empty()) return find_states(model);
  // A handle may come from around its graph: an assignment anywhere may be to any variable.
  const std::vector<bool> first = initialisers(model);
  bool assigned = false;
  for (std::size_t g = 0; g < model.graph_count(); ++g) {
    const Model graph = model.at(static_cast<std::int64_t>(g));
    for (std::size_t i = 0; !first[g] && i < length(graph.main().operators()); ++i)
      assigned |=
          graph.builtin(*graph.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i))) ==
          tflite::Builtin::ASSIGN_VARIABLE;
  }
  for (FileVariable& variable : variables) variable.assigned = assigned;
  std::ranges::move(find_states(model), std::back_inserter(variables));
  return variables;
}

bool uses_variables(const Model& model, std::int64_t graph) {
  std::vector<bool> seen(model.graph_count(), false);
  bool found = false;
  mark(model, graph, seen, found);
  return found;
}

int Importer::find_variable(const std::string& key) const noexcept {
  for (std::size_t i = 0; i < shared_->variables.size(); ++i)
    if (shared_->variables[i].key == key) return static_cast<int>(i);
  return -1;
}

void Importer::set_initial(int variable, std::vector<std::byte> bytes) {
  shared_->variables[static_cast<std::size_t>(variable)].initial = std::move(bytes);
}

void Importer::declare(int variable, int tensor) {
  FileVariable& known = shared_->variables[static_cast<std::size_t>(variable)];
  if (known.dtype != DType::none) return;
  const std::optional<Shape> shape = fixed_shape(model_, tensor);
  if (!shape) return;
  known.dtype = dtype_of(model_.tensor(tensor).type());
  known.shape = *shape;
}

void Importer::declare(int variable, const Shape& shape) {
  FileVariable& known = shared_->variables[static_cast<std::size_t>(variable)];
  require(known.shape == shape || !known.looked_at, ErrorCode::unsupported, "state '", known.name,
          "' is ", known.shape, " elsewhere, here ", shape);
  known.shape = shape;
}

ir::ValueId Importer::current(int variable) {
  if (outer_ != nullptr && &outer_->graph_ == &graph_) return outer_->current(variable);
  ir::ValueId& id = now_[static_cast<std::size_t>(variable)];
  if (id != ir::kAbsent) return id;
  FileVariable& known = shared_->variables[static_cast<std::size_t>(variable)];
  known.looked_at = true;
  require(known.dtype != DType::none, ErrorCode::unsupported, "variable '", known.name,
          "' is read before anything says what it holds");
  if (known.assigned && outer_ == nullptr) {
    starts_.resize(now_.size(), ir::kAbsent);
    id = graph_.add_input(known.name, known.dtype, known.shape);
    starts_[static_cast<std::size_t>(variable)] = id;
  } else {
    const std::int64_t size = checked_bytes(known.dtype, known.shape).value_or(0);
    charge(size);
    std::vector<std::byte> bytes = known.initial;
    bytes.resize(static_cast<std::size_t>(size));
    id = graph_.add_constant(known.name, known.dtype, known.shape, std::move(bytes));
  }
  return id;
}

void Importer::assign(int variable, ir::ValueId value) {
  if (outer_ != nullptr && &outer_->graph_ == &graph_) return outer_->assign(variable, value);
  FileVariable& known = shared_->variables[static_cast<std::size_t>(variable)];
  const ir::Value& now = graph_.value(value);
  if (known.dtype == DType::none) {
    known.dtype = now.dtype;
    known.shape = now.shape;
  }
  require(known.dtype == now.dtype && known.shape == now.shape, ErrorCode::unsupported,
          "variable '", known.name, "' holds ", known.dtype, " ", known.shape, " and gets ",
          now.dtype, " ", now.shape);
  // What it held before the run is what the next run starts from.
  if (outer_ == nullptr) current(variable);
  now_[static_cast<std::size_t>(variable)] = value;
}

/// Variables that the graph looked at are its last inputs and outputs.
void Importer::add_variables() {
  std::vector<ir::ValueId> inputs, outputs;
  for (std::size_t i = 0; i < now_.size(); ++i) {
    const FileVariable& variable = shared_->variables[i];
    if (now_[i] == ir::kAbsent || !variable.assigned) continue;
    outputs.push_back(graph_.add(fb::OpKind::identity, {}, {now_[i]}, variable.name + "/next"));
    graph_.variables.push_back({variable.name, variable.initial});
    inputs.push_back(starts_[i]);
  }
  for (ir::ValueId id : inputs) std::erase(graph_.inputs, id);
  graph_.inputs.insert(graph_.inputs.end(), inputs.begin(), inputs.end());
  graph_.outputs.insert(graph_.outputs.end(), outputs.begin(), outputs.end());
}

void import_var_handle(Operation& op) {
  op.output(Slot{.variable = op.importer().find_variable(key_of(op.source()))}, 0);
}

void import_read_variable(Operation& op) {
  const int variable = op.slot(0).variable;
  op.check(variable >= 0, "its operand is no handle");
  op.importer().declare(variable, op.source().outputs()->Get(0));
  op.output(op.importer().current(variable));
}

void import_assign_variable(Operation& op) {
  const int variable = op.slot(0).variable;
  op.check(variable >= 0, "its operand is no handle");
  op.importer().assign(variable, op.in(1));
}

/// What its graph assigns is what variables hold before the first run.
void import_call_once(Operation& op) {
  ir::Graph graph;
  Importer inner(op.importer(), op.options<tflite::CallOnce>().graph(), graph);
  const std::vector<ir::ValueId> before(op.importer().variables().size(), ir::kAbsent);
  std::vector<ir::ValueId> now = before;
  inner.call({}, &now);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] == ir::kAbsent) continue;
    const ir::Value& value = graph.value(now[i]);
    if (!value.constant)
      op.refuse("variable '", op.importer().variables()[i].name, "' does not start as a constant");
    op.importer().set_initial(static_cast<int>(i), *value.constant);
  }
}

}  // namespace skiff::convert::tfl
