#include <algorithm>
#include <unordered_map>

#include "converters/tflite/importer.h"

namespace skiff::convert::tfl {
namespace {

/// Who writes each tensor: an operator's index, or kNone.
constexpr int kNone = -1;

std::vector<int> find_producers(const Model& model, std::size_t operators) {
  std::vector<int> producers(model.tensor_count(), kNone);
  for (std::size_t i = 0; i < operators; ++i) {
    const auto* op = model.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
    for (std::int64_t output : to_list(op->outputs())) {
      int& producer = producers[static_cast<std::size_t>(output)];
      require(producer == kNone, ErrorCode::invalid_model, "tensor '",
              model.tensor_name(static_cast<int>(output)), "' is written twice");
      producer = static_cast<int>(i);
    }
  }
  return producers;
}

std::vector<int> find_tensors(const Model& model, const std::vector<std::string>& names,
                              const char* option) {
  std::vector<int> result;
  if (names.empty()) return result;
  std::unordered_map<std::string, int> by_name;
  for (std::size_t i = 0; i < model.tensor_count(); ++i)
    by_name.emplace(model.tensor_name(static_cast<int>(i)), static_cast<int>(i));
  for (const std::string& name : names) {
    const auto found = by_name.find(name);
    require(found != by_name.end(), ErrorCode::invalid_argument, option,
            ": the model has no tensor '", name, "'");
    result.push_back(found->second);
  }
  return result;
}

std::vector<int> as_ints(const flatbuffers::Vector<std::int32_t>* numbers) {
  if (numbers == nullptr) return {};
  return {numbers->begin(), numbers->end()};
}

/// Operators that change something besides their outputs.
bool has_side_effects(const Model& model, const tflite::Operator& op) {
  const tflite::Builtin builtin = model.builtin(op);
  return length(op.outputs()) == 0 || builtin == tflite::Builtin::ASSIGN_VARIABLE ||
         builtin == tflite::Builtin::CALL_ONCE || builtin == tflite::Builtin::HASHTABLE_IMPORT;
}

class Cutter {
 public:
  Cutter(const Model& model, const ImportOptions& options)
      : model_(model),
        operators_(length(model.main().operators())),
        producers_(find_producers(model, operators_)),
        from_(find_tensors(model, options.from, "--from")),
        to_(find_tensors(model, options.to, "--to")),
        wanted_(model.tensor_count(), false) {}

  Cut run() {
    Cut cut;
    cut.outputs = to_.empty() ? as_ints(model_.main().outputs()) : to_;
    require(!cut.outputs.empty(), ErrorCode::invalid_model,
            "TFLite file: the graph has no outputs");
    for (int output : cut.outputs) wanted_[static_cast<std::size_t>(output)] = true;
    cut.operators.resize(operators_, false);
    for (std::size_t i = operators_; i-- > 0;)
      cut.operators[i] =
          want(*model_.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i)));
    add_inputs(cut);
    check_order(cut);
    return cut;
  }

 private:
  const Model& model_;
  std::size_t operators_;
  std::vector<int> producers_;
  std::vector<int> from_;
  std::vector<int> to_;
  std::vector<bool> wanted_;

  bool is_cut() const { return !from_.empty() || !to_.empty(); }
  bool is_from(int tensor) const {
    return std::find(from_.begin(), from_.end(), tensor) != from_.end();
  }

  bool want(const tflite::Operator& op) {
    bool needed = !is_cut() && has_side_effects(model_, op);
    for (int output : as_ints(op.outputs()))
      needed |= wanted_[static_cast<std::size_t>(output)] && !is_from(output);
    if (needed)
      for (int input : as_ints(op.inputs()))
        if (input >= 0) wanted_[static_cast<std::size_t>(input)] = true;
    return needed;
  }

  void add_inputs(Cut& cut) const {
    std::vector<bool> seen(model_.tensor_count(), false);
    const auto add = [&](int tensor, const char* what) {
      require(!seen[static_cast<std::size_t>(tensor)], ErrorCode::invalid_model, what, " '",
              model_.tensor_name(tensor), "' is named twice");
      seen[static_cast<std::size_t>(tensor)] = true;
      cut.inputs.push_back(tensor);
    };
    for (int input : as_ints(model_.main().inputs())) {
      require(producers_[static_cast<std::size_t>(input)] == kNone, ErrorCode::invalid_model,
              "input '", model_.tensor_name(input), "' is written by an operator");
      if ((!is_cut() || wanted_[static_cast<std::size_t>(input)]) && !is_from(input))
        add(input, "input");
    }
    for (int tensor : from_) add(tensor, "--from");
  }

  void check_order(const Cut& cut) const {
    std::vector<bool> known(model_.tensor_count(), false);
    for (int input : cut.inputs) known[static_cast<std::size_t>(input)] = true;
    for (std::size_t i = 0; i < operators_; ++i) {
      if (!cut.operators[i]) continue;
      const auto* op = model_.main().operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
      for (int input : as_ints(op->inputs())) {
        if (input < 0) continue;
        const bool later = producers_[static_cast<std::size_t>(input)] != kNone &&
                           !known[static_cast<std::size_t>(input)];
        require(!later, ErrorCode::invalid_model, model_.operator_name(*op), " reads tensor '",
                model_.tensor_name(input), "' before it is written");
      }
      for (int output : as_ints(op->outputs())) known[static_cast<std::size_t>(output)] = true;
    }
  }
};

}  // namespace

Cut find_cut(const Model& model, const ImportOptions& options) {
  return Cutter(model, options).run();
}

}  // namespace skiff::convert::tfl
