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

/// What a tensor stands for: a value, or a variable that it is the handle of.
struct Slot {
  ir::ValueId value = ir::kAbsent;
  int variable = -1;
};

/// A variable of the file (variables.cpp).
struct FileVariable {
  std::string key, name;
  DType dtype = DType::none;
  Shape shape = {};
  std::vector<std::byte> initial = {};  ///< empty: zeros
  bool assigned = false;                ///< anywhere but where it gets its initial value
  bool looked_at = false;               ///< its shape can no longer change
};
/// Those that the operators of any graph name.
std::vector<FileVariable> find_variables(const Model& model);
/// Whether operators of a graph, or of one that it runs, read or assign variables.
bool uses_variables(const Model& model, std::int64_t graph);
/// Tensors of a graph in which a recurrent operator keeps its state from run to run.
std::vector<int> state_tensors(const Model& model, const tflite::Operator& op);
/// Names such a tensor among variables.
std::string state_key(const Model& model, int tensor);

/// Builds the IR graph of one file, operator by operator, and collects refusals on the way.
class Importer {
 public:
  Importer(Model model, const ImportOptions& options);
  /// Of another graph of the file, which becomes part of `graph`.
  Importer(Importer& outer, std::int64_t number, ir::Graph& graph);
  ir::Graph run();

  /// Imports every operator of the graph with these inputs and returns its outputs. `now` holds
  /// the value of each variable, before and afterwards; empty: `outer`, whose graph is the same,
  /// knows them. Throws as an operator does when something was refused, which outer keeps.
  std::vector<Slot> call(const std::vector<Slot>& inputs, std::vector<ir::ValueId>* now);
  Slot slot(int tensor);
  void set_slot(int tensor, const Slot& slot);
  const std::vector<FileVariable>& variables() const noexcept { return shared_->variables; }
  int find_variable(const std::string& key) const noexcept;
  /// A tensor of the file is like the variable, of which nothing else may be known.
  void declare(int variable, int tensor);
  /// It has this shape, which its tensor may have declared otherwise.
  void declare(int variable, const Shape& shape);
  /// What a variable holds at this place of the graph, and what it holds from here on.
  ir::ValueId current(int variable);
  void assign(int variable, ir::ValueId value);
  void set_initial(int variable, std::vector<std::byte> bytes);
  const ImportOptions& options() const noexcept { return options_; }

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
  /// Of all importers of a file.
  struct Shared {
    std::int64_t budget = 0, work_left = 0, operators_left = 0;
    int depth = 0;
    std::vector<FileVariable> variables;
  };

  Model model_;
  const ImportOptions& options_;
  Importer* outer_ = nullptr;
  Shared own_shared_;
  Shared* shared_ = &own_shared_;
  ir::Graph own_graph_;
  ir::Graph& graph_;
  std::vector<int> handles_;         ///< by tensor: the variable it stands for, -1
  std::vector<ir::ValueId> now_;     ///< by variable; kAbsent: not looked at yet
  std::vector<ir::ValueId> starts_;  ///< by variable: what it is before a run
  std::vector<ir::ValueId> values_;  ///< by tensor; kAbsent: not yet
  std::vector<bool> refused_;        ///< by tensor: stands in for what a refused operator gives
  std::vector<Refusal> refusals_;
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
  void add_variables();
  void name_externals();
  const ir::Value& known(int tensor);
  std::vector<std::string> inputs_behind(ir::ValueId id) const;
};

}  // namespace skiff::convert::tfl
