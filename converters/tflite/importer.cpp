#include "converters/tflite/importer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "converters/tflite/tensors.h"
#include "runtime/core/checked.h"
#include "runtime/ops/control.h"

namespace skiff::convert::tfl {
namespace {

/// Bytes the file may grow into: dequantised, expanded, shared and computed constants.
constexpr std::int64_t kBudgetBase = std::int64_t{256} << 20;
constexpr std::int64_t kBudgetFactor = 16;

/// Multiply-adds: some seconds.
constexpr std::int64_t kMostWork = std::int64_t{1} << 35;
/// Operators, counted once for each operator that runs their graph.
constexpr std::int64_t kMostOperators = 250'000;

/// Thrown where an operator needs a number that a refused operator would have given.
struct BehindRefused {};

/// Thrown where an operator needs a number that is not known.
class NotKnown : public Error {
 public:
  NotKnown(const std::string& name, std::vector<std::string> inputs)
      : Error(ErrorCode::unsupported, message("'", name, "' must be known at conversion")),
        inputs_(std::move(inputs)) {}
  const std::vector<std::string>& inputs() const noexcept { return inputs_; }
  std::string help() const {
    std::string text = inputs_.empty() ? "" : "give";
    for (const std::string& input : inputs_) text += " --bind " + input + "=VALUE";
    return text;
  }

 private:
  std::vector<std::string> inputs_;
};

[[noreturn]] void rethrow(const Operation& operation, const Error& error) {
  const std::string where = operation.described();
  const std::string_view what = error.what();
  throw Error(error.code(),
              what.starts_with(where) ? std::string(what) : message(where, ": ", what));
}

}  // namespace

Importer::Importer(Model model, const ImportOptions& options)
    : model_(std::move(model)),
      options_(options),
      graph_(own_graph_),
      handles_(model_.tensor_count(), -1),
      values_(model_.tensor_count(), ir::kAbsent),
      refused_(model_.tensor_count(), false) {
  graph_.assumption = options.assumption;
  shared_->budget = kBudgetBase + kBudgetFactor * static_cast<std::int64_t>(model_.bytes().size());
  shared_->work_left = kMostWork;
  shared_->operators_left = kMostOperators;
  shared_->variables = find_variables(model_);
  now_.assign(shared_->variables.size(), ir::kAbsent);
}

Importer::Importer(Importer& outer, std::int64_t number, ir::Graph& graph)
    : model_(outer.model_.at(number)),
      options_(outer.options_),
      outer_(&outer),
      shared_(outer.shared_),
      graph_(graph),
      handles_(model_.tensor_count(), -1),
      now_(outer.now_.size(), ir::kAbsent),
      values_(model_.tensor_count(), ir::kAbsent),
      refused_(model_.tensor_count(), false) {}

void Importer::charge(std::int64_t bytes) {
  require(bytes <= shared_->budget, ErrorCode::budget_exceeded, "a TFLite file of ",
          model_.bytes().size(), " bytes would grow into more than ",
          kBudgetBase + kBudgetFactor * static_cast<std::int64_t>(model_.bytes().size()),
          " bytes of constants");
  shared_->budget -= bytes;
}

bool Importer::take_work(std::int64_t work) {
  if (work > shared_->work_left) return false;
  shared_->work_left -= work;
  return true;
}

ir::Graph Importer::run() {
  const Cut cut = find_cut(model_, options_);
  if (const auto* name = model_.main().name()) graph_.name = name->str().substr(0, 512);
  add_inputs(cut);
  for (std::size_t i = 0; i < cut.operators.size(); ++i)
    if (cut.operators[i])
      import_operator(*model_.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i)));
  if (!refusals_.empty()) throw Refused(std::move(refusals_));
  add_outputs(cut);
  add_variables();
  name_externals();
  return std::move(graph_);
}

std::vector<Slot> Importer::call(const std::vector<Slot>& inputs, std::vector<ir::ValueId>* now) {
  const struct Depth {
    int& depth;
    ~Depth() { --depth; }
  } depth{++shared_->depth};
  require(depth.depth <= kMaxNesting, ErrorCode::unsupported, "graphs nest deeper than ",
          kMaxNesting);
  const std::vector<std::int64_t> declared = to_list(model_.main().inputs()),
                                  results = to_list(model_.main().outputs());
  require(inputs.size() == declared.size(), ErrorCode::invalid_model, "the graph it runs has ",
          declared.size(), " inputs, gets ", inputs.size());
  if (now != nullptr) now_ = *now;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    set_slot(static_cast<int>(declared[i]), inputs[i]);
  for (std::size_t i = 0; i < length(model_.main().operators()); ++i)
    import_operator(*model_.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i)));
  if (!refusals_.empty()) {
    auto& kept = outer_->refusals_;
    kept.insert(kept.end(), std::make_move_iterator(refusals_.begin()),
                std::make_move_iterator(refusals_.end()));
    throw BehindRefused();
  }
  std::vector<Slot> outputs;
  for (std::int64_t result : results) outputs.push_back(slot(static_cast<int>(result)));
  if (now != nullptr) *now = now_;
  return outputs;
}

Slot Importer::slot(int tensor) {
  const int variable = handles_[static_cast<std::size_t>(tensor)];
  return variable >= 0 ? Slot{.variable = variable} : Slot{.value = value(tensor)};
}

void Importer::set_slot(int tensor, const Slot& slot) {
  handles_[static_cast<std::size_t>(tensor)] = slot.variable;
  if (slot.variable < 0) set(tensor, slot.value);
}

// -------------------------------------------------------------------------------------------------
// Values

ir::ValueId Importer::value(int tensor) {
  ir::ValueId& id = values_[static_cast<std::size_t>(tensor)];
  if (id != ir::kAbsent) return id;
  if (refused_[static_cast<std::size_t>(tensor)]) throw BehindRefused{};
  const tflite::Tensor& declared = model_.tensor(tensor);
  const std::string name = model_.tensor_name(tensor);
  require(handles_[static_cast<std::size_t>(tensor)] < 0, ErrorCode::unsupported,
          "it computes on '", name, "', the handle of a variable");
  require(!declared.is_variable(), ErrorCode::unsupported, "it keeps state in tensor '", name, "'");
  const std::int64_t bytes = constant_bytes(model_, tensor);  // checks type and shape
  require(bytes == 0 || !model_.data(tensor).empty(), ErrorCode::invalid_model, "tensor '", name,
          "' is read but never written");
  charge(bytes);
  Constant constant = read_constant(model_, tensor);
  if (is_quantized(declared) && constant.dtype != DType::int32) {
    charge(bytes * 4);
    constant = dequantized(constant, quantization_of(declared, name), name);
  }
  id = graph_.add_constant(name, constant.dtype, constant.shape, std::move(constant.bytes));
  return id;
}

const ir::Value& Importer::known(int tensor) {
  const ir::Value& found = graph_.value(value(tensor));
  if (!found.constant) {
    if (refused_[static_cast<std::size_t>(tensor)]) throw BehindRefused{};
    throw NotKnown(found.name, inputs_behind(value(tensor)));
  }
  charge(found.shape.elements() * 8);
  return found;
}

/// Names of the graph's inputs a value is computed from.
std::vector<std::string> Importer::inputs_behind(ir::ValueId id) const {
  std::vector<std::string> names;
  std::vector<bool> seen(graph_.value_count(), false);
  std::vector<ir::ValueId> open = {id};
  while (!open.empty()) {
    const ir::ValueId next = open.back();
    open.pop_back();
    if (next == ir::kAbsent || seen[static_cast<std::size_t>(next)]) continue;
    seen[static_cast<std::size_t>(next)] = true;
    const ir::Value& value = graph_.value(next);
    if (value.producer >= 0) {
      const auto& inputs = graph_.node(value.producer).inputs;
      open.insert(open.end(), inputs.begin(), inputs.end());
    } else if (!value.constant) {
      names.push_back(value.name);
    }
  }
  return names;
}

std::vector<std::int64_t> Importer::integers(int tensor) { return ir::integers(known(tensor)); }

std::vector<double> Importer::numbers(int tensor) { return ir::numbers(known(tensor)); }

// -------------------------------------------------------------------------------------------------
// Operators

void Importer::import_operator(const tflite::Operator& op) {
  require(shared_->operators_left-- > 0, ErrorCode::budget_exceeded, "the model has more than ",
          kMostOperators, " operators once its graphs are written out");
  Refusal refusal;
  refusal.help = kCutHelp;
  refusal.reason = reason_against(model_, op, refusal.help);
  if (!refusal.reason.empty()) return refuse(op, std::move(refusal));
  const std::vector<std::int64_t> inputs = to_list(op.inputs());
  bool behind = std::any_of(inputs.begin(), inputs.end(), [&](std::int64_t input) {
    return input >= 0 && refused_[static_cast<std::size_t>(input)];
  });
  Operation operation(*this, op);
  try {
    find_import(model_, op)(operation);
  } catch (const BehindRefused&) {
    behind = true;
  } catch (const NotKnown& error) {
    return refuse(op, {{}, {}, error.what(), error.help(), error.inputs()});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unsupported)
      return refuse(op, {{}, {}, error.what(), std::move(refusal.help), {}});
    // A stand-in may have another shape than what it stands for.
    if (!behind || error.code() != ErrorCode::invalid_model) rethrow(operation, error);
  }
  if (behind) stand_in(op);
}

void Importer::refuse(const tflite::Operator& op, Refusal refusal) {
  refusal.node = Operation(*this, op).name();
  refusal.op = model_.operator_name(op);
  refusals_.push_back(std::move(refusal));
  stand_in(op);
}

void Importer::stand_in(const tflite::Operator& op) {
  for (std::int64_t output : to_list(op.outputs())) {
    const auto tensor = static_cast<int>(output);
    refused_[static_cast<std::size_t>(output)] = true;
    if (values_[static_cast<std::size_t>(output)] != ir::kAbsent) continue;
    const tflite::Tensor& declared = model_.tensor(tensor);
    const std::vector<std::int64_t> dims = declared_dims(declared);
    const DType dtype = dtype_of(declared.type());
    const bool open =
        std::any_of(dims.begin(), dims.end(), [](std::int64_t extent) { return extent < 0; });
    if (dtype == DType::none || open || !checked_bytes(dtype, Shape(dims))) continue;
    set(tensor, graph_.add_input(model_.tensor_name(tensor), dtype, Shape(dims)));
  }
}

}  // namespace skiff::convert::tfl
