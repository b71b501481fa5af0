#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converters/import.h"
#include "converters/tflite/model.h"
#include "converters/tflite/operation.h"

namespace skiff::convert::tfl {

inline constexpr const char* kCutHelp =
    "cut it off with --to (what it reads) or --from (what it gives)";

/// The part of the graph that is converted (cut.cpp).
struct Cut {
  std::vector<int> inputs;      ///< tensors, in the file's order, those of --from behind
  std::vector<int> outputs;     ///< tensors
  std::vector<bool> operators;  ///< needed ones, by index
};
/// Throws Error{invalid_argument} for names the file does not have and Error{invalid_model} when a
/// tensor is written twice or read before it is written.
Cut find_cut(const Model& model, const ImportOptions& options);

/// Why an operator cannot be imported whatever its operands' shapes are; empty: it may be. `help`
/// is changed where there is better advice than to cut it off (refusals.cpp).
std::string reason_against(const Model& model, const tflite::Operator& op, std::string& help);

/// Builds the IR graph of one file, operator by operator, and collects refusals on the way.
class Importer {
 public:
  Importer(Model model, const ImportOptions& options);
  ir::Graph run();

  ir::Graph& graph() noexcept { return graph_; }
  const Model& model() const noexcept { return model_; }
  /// The value of a tensor; constants of the file enter the graph when they are first asked for.
  ir::ValueId value(int tensor);
  std::vector<std::int64_t> integers(int tensor);
  std::vector<double> numbers(int tensor);
  void set(int tensor, ir::ValueId id) { values_[static_cast<std::size_t>(tensor)] = id; }
  /// Whether sizes are others than those the model was exported with.
  bool resized() const noexcept { return options_.exported != nullptr; }
  /// Says that a frozen size was changed, and whether any was.
  void note_guess() noexcept { guessed_ = true; }
  bool guessed() const noexcept { return guessed_; }
  void charge(std::int64_t bytes);
  /// True while conversion may still spend this much computation on constants.
  bool take_work(std::int64_t work);

 private:
  Model model_;
  const ImportOptions& options_;
  ir::Graph graph_;
  std::vector<ir::ValueId> values_;  ///< by tensor; kAbsent: not yet
  std::vector<bool> refused_;        ///< by tensor: stands in for what a refused operator gives
  std::vector<Refusal> refusals_;
  std::int64_t budget_;
  std::int64_t work_left_;
  bool guessed_ = false;

  void add_inputs(const Cut& cut);
  void add_input(int tensor);
  Shape input_shape(int tensor);
  void import_operator(const tflite::Operator& op);
  /// Adds the refusal, whose node and operator are filled in.
  void refuse(const tflite::Operator& op, Refusal refusal);
  /// Gives the outputs of a refused operator values of the declared shapes, so that the operators
  /// behind it are judged too.
  void stand_in(const tflite::Operator& op);
  void add_outputs(const Cut& cut);
  void name_externals();
  const ir::Value& known(int tensor);
  std::vector<std::string> inputs_behind(ir::ValueId id) const;
};

}  // namespace skiff::convert::tfl
