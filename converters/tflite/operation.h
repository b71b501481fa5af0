#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/tflite/model.h"
#include "runtime/core/error.h"

namespace skiff::convert::tfl {

class Importer;
struct Slot;

/// One operator of the file while it is imported: its operands as IR values, its options, and the
/// nodes it becomes. Import functions take it, add nodes and hand over every output.
class Operation {
 public:
  Operation(Importer& importer, const tflite::Operator& source);

  ir::Graph& graph() noexcept;
  Importer& importer() noexcept { return importer_; }
  const tflite::Operator& source() const noexcept { return source_; }
  tflite::Builtin builtin() const noexcept;
  /// Name of the first output.
  const std::string& name() const noexcept { return name_; }

  int input_count() const noexcept { return static_cast<int>(length(source_.inputs())); }
  int output_count() const noexcept { return static_cast<int>(length(source_.outputs())); }
  bool has(int i) const noexcept;
  /// Value of operand i, which must be present. Quantised constants come as float32.
  ir::ValueId in(int i);
  /// The same for operands that may be absent: ir::kAbsent.
  ir::ValueId in_or_absent(int i) { return has(i) ? in(i) : ir::kAbsent; }
  Shape shape(int i) { return graph().value(in(i)).shape; }
  /// Its shape at the sizes the model was exported with, where they are others.
  Shape exported(int i);
  /// Says that a frozen size was changed.
  void note_guess() noexcept;
  Shape shape_of(ir::ValueId id) { return graph().value(id).shape; }
  DType dtype(int i) { return graph().value(in(i)).dtype; }
  /// What operand i stands for, and what output i is to stand for.
  Slot slot(int i);
  void output(const Slot& slot, int i);
  /// The state that operand i holds, of a shape that follows from other operands; kAbsent: none.
  ir::ValueId state(int i, const Shape& shape);
  /// What it holds from here on, if operand i lasts from run to run.
  void keep(int i, ir::ValueId next);
  /// Numbers of operand i. Throws Error{unsupported} unless they are known at conversion.
  std::vector<std::int64_t> integers(int i);
  std::vector<double> numbers(int i);
  /// The one number of operand i.
  std::int64_t integer(int i);
  DType output_dtype(int i) const;

  /// The options as `Table`. Files leave out options with nothing but defaults: then `Table` reads
  /// as all defaults.
  template <typename Table>
  const Table& options() const {
    const Table* table = source_.options_as<Table>();
    return table != nullptr ? *table : defaults<Table>();
  }

  /// Adds a node with one output.
  ir::ValueId add(fb::OpKind op, ir::Attributes attrs, std::vector<ir::ValueId> inputs);
  /// Adds a node with several; the node's id.
  ir::NodeId add_node(fb::OpKind op, ir::Attributes attrs, std::vector<ir::ValueId> inputs,
                      std::size_t outputs, std::vector<ir::Graph> bodies = {});
  ir::ValueId unary(fb::UnaryFunction function, ir::ValueId x, float alpha = 0, float beta = 0);
  ir::ValueId binary(fb::BinaryFunction function, ir::ValueId a, ir::ValueId b);
  ir::ValueId reshape(ir::ValueId x, const Shape& to);
  ir::ValueId transpose(ir::ValueId x, std::vector<std::int64_t> perm);
  ir::ValueId cast(ir::ValueId x, DType to);
  ir::ValueId slice(ir::ValueId x, std::vector<std::int64_t> starts,
                    std::vector<std::int64_t> sizes, std::vector<std::int64_t> steps = {});
  template <typename T>
  ir::ValueId constant(const Shape& shape, const std::vector<T>& numbers) {
    charge(static_cast<std::int64_t>(numbers.size() * sizeof(T)));
    return graph().add_constant<T>(fresh_name(), shape, std::span<const T>(numbers));
  }

  /// Hands over an output: its value and, when a node of this operator made it, its name.
  void output(ir::ValueId id, int i = 0);
  /// The same behind the activation that is fused into the operator.
  void output(ir::ValueId id, tflite::Activation activation);

  /// An axis of `rank`, counted from the end when negative. Throws Error{invalid_model}.
  int axis(std::int64_t given, int rank) const;
  /// Axes in [0, rank), sorted, each once.
  std::vector<std::int64_t> axes(const std::vector<std::int64_t>& given, int rank) const;

  /// Throws Error{invalid_model} that names the operator unless the condition holds.
  template <typename... Pieces>
  void check(bool condition, const Pieces&... pieces) const {
    if (!condition) fail(ErrorCode::invalid_model, described(), ": ", pieces...);
  }
  /// Refuses the operator with a reason.
  template <typename... Pieces>
  [[noreturn]] void refuse(const Pieces&... pieces) const {
    fail(ErrorCode::unsupported, pieces...);
  }
  std::string described() const;

  /// Counts bytes that conversion makes against the limit for the file (a few bytes must not grow
  /// into gigabytes).
  void charge(std::int64_t bytes);

 private:
  Importer& importer_;
  const tflite::Operator& source_;
  std::string name_;
  std::size_t first_value_;          ///< values from here on are this operator's own
  std::vector<ir::ValueId> handed_;  ///< outputs that have their names
  int made_ = 0;

  int tensor_of_input(int i) const;
  int tensor_of_output(int i) const;

  std::string fresh_name();
  void fold(ir::NodeId node);

  template <typename Table>
  static const Table& defaults() {
    static const std::vector<std::uint8_t> bytes = [] {
      flatbuffers::FlatBufferBuilder builder;
      builder.Finish(typename Table::Builder(builder).Finish());
      return std::vector<std::uint8_t>(builder.GetBufferPointer(),
                                       builder.GetBufferPointer() + builder.GetSize());
    }();
    return *flatbuffers::GetRoot<Table>(bytes.data());
  }
};

/// Activation and its two numbers as attributes carry them.
struct FusedActivation {
  fb::UnaryFunction function = fb::UnaryFunction::none;
  float alpha = 0;
  float beta = 0;
};
/// Throws Error{unsupported} for SIGN_BIT and unknown numbers.
FusedActivation fused_activation(tflite::Activation activation);

/// Turns an operator into nodes. Throws Error{unsupported} to refuse it and Error{invalid_model}
/// for what cannot be right.
using ImportFunction = void (*)(Operation& op);
/// Null: not supported.
ImportFunction find_import(const Model& model, const tflite::Operator& op) noexcept;

}  // namespace skiff::convert::tfl
