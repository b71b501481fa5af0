#include "converters/tflite/importer.h"

#include <algorithm>
#include <utility>

#include "converters/tflite/tensors.h"
#include "runtime/core/checked.h"

namespace skiff::convert::tfl {
namespace {

/// Bytes the file may grow into: dequantised, expanded, shared and computed constants.
constexpr std::int64_t kBudgetBase = std::int64_t{256} << 20;
constexpr std::int64_t kBudgetFactor = 16;

/// Multiply-adds: some seconds.
constexpr std::int64_t kMostWork = std::int64_t{1} << 35;

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
      values_(model_.tensor_count(), ir::kAbsent),
      refused_(model_.tensor_count(), false),
      budget_(kBudgetBase + kBudgetFactor * static_cast<std::int64_t>(model_.bytes().size())),
      work_left_(kMostWork) {
  graph_.assumption = options.assumption;
}

void Importer::charge(std::int64_t bytes) {
  require(bytes <= budget_, ErrorCode::budget_exceeded, "a TFLite file of ", model_.bytes().size(),
          " bytes would grow into more than ",
          kBudgetBase + kBudgetFactor * static_cast<std::int64_t>(model_.bytes().size()),
          " bytes of constants");
  budget_ -= bytes;
}

bool Importer::take_work(std::int64_t work) {
  if (work > work_left_) return false;
  work_left_ -= work;
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
  name_externals();
  return std::move(graph_);
}

// -------------------------------------------------------------------------------------------------
// Values

ir::ValueId Importer::value(int tensor) {
  ir::ValueId& id = values_[static_cast<std::size_t>(tensor)];
  if (id != ir::kAbsent) return id;
  if (refused_[static_cast<std::size_t>(tensor)]) throw BehindRefused{};
  const tflite::Tensor& declared = model_.tensor(tensor);
  const std::string name = model_.tensor_name(tensor);
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
  Refusal refusal;
  refusal.help = kCutHelp;
  refusal.reason = reason_against(model_, op, refusal.help);
  if (!refusal.reason.empty()) return refuse(op, std::move(refusal));
  const std::vector<std::int64_t> inputs = to_list(op.inputs());
  const bool behind = std::any_of(inputs.begin(), inputs.end(), [&](std::int64_t input) {
    return input >= 0 && refused_[static_cast<std::size_t>(input)];
  });
  Operation operation(*this, op);
  try {
    find_import(model_, op)(operation);
  } catch (const BehindRefused&) {
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
