#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "converters/onnx/builder.h"
#include "converters/onnx/onnx.pb.h"
#include "converters/onnx/tensor.h"
#include "runtime/core/error.h"

namespace skiff::onnx {

class Importer;
struct Frame;

/// Why one node cannot be converted. Thrown by Op::refuse, caught by the Importer, which goes on
/// with the next node to name all of them.
struct Refuse {
  std::string reason;
  std::string help;
  std::vector<std::string> bind;  ///< inputs that would have to be known
};

/// Attributes of a function's caller, for attributes that refer to them; null: given by nobody.
using Bindings = std::unordered_map<std::string, const AttributeProto*>;

/// One ONNX node while it is imported: its attributes, its operands as values of the graph, and the
/// builder to add nodes with. Attributes that nobody asked for are refused in finish(), because
/// they would change the meaning.
class Op {
 public:
  Op(const NodeProto& node, int version, Importer& importer, Frame& frame);

  const NodeProto& node;
  const int version;  ///< since_version of the operator's definition that holds
  Importer& importer;
  Frame& frame;
  Builder& b;

  int inputs() const { return node.input_size(); }
  bool has(int i) const;
  /// Operand i; refuses when it is absent.
  ValueId in(int i);
  ValueId in_or_absent(int i) { return has(i) ? in(i) : kAbsent; }
  std::vector<ValueId> all_inputs();
  const Shape& shape(int i) { return b.shape(in(i)); }
  DType dtype(int i) { return b.dtype(in(i)); }
  int rank(int i) { return shape(i).rank(); }
  /// Operand i's shape at the sizes the model was exported with, where they are others; else its
  /// shape.
  const Shape& exported(int i);

  int outputs() const { return node.output_size(); }
  bool wants(int i) const { return i < outputs() && !node.output(i).empty(); }
  /// Output i of the ONNX node is this value. Outputs nobody named are dropped.
  void out(int i, ValueId value);
  void out(ValueId value) { out(0, value); }

  bool has_attr(std::string_view name) { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t fallback);
  std::int64_t integer(std::string_view name);  ///< refuses when absent
  bool flag(std::string_view name, bool fallback) { return integer(name, fallback) != 0; }
  float number(std::string_view name, float fallback);
  std::string text(std::string_view name, std::string_view fallback);
  Ints integers(std::string_view name);  ///< empty when absent
  std::vector<float> numbers(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  const AttributeProto* find(std::string_view name);
  /// Attributes without influence on the results that are wanted.
  void ignore(std::initializer_list<std::string_view> names);

  /// Operand i must be known at conversion: a refusal names the inputs to bind.
  ValueId known(int i, std::string_view what);
  Ints known_integers(int i, std::string_view what) { return b.integers(known(i, what)); }
  std::vector<double> known_numbers(int i, std::string_view what) {
    return b.numbers(known(i, what));
  }
  std::int64_t known_integer(int i, std::string_view what);
  double known_number(int i, std::string_view what);

  /// An axis in [-rank, rank) as one in [0, rank).
  int axis(std::int64_t axis, int rank) const;
  Ints axes(Ints axes, int rank) const;  ///< the same for many: sorted, none twice

  [[noreturn]] void refuse(std::string reason, std::string help = {}) const;
  template <typename... Pieces>
  void check(bool condition, const Pieces&... pieces) const {
    if (!condition) refuse(message(pieces...));
  }
  /// Refuses attributes that were not read.
  void finish();

 private:
  std::vector<std::string_view> read_;
};

/// How one operator is imported, over all versions of its definition that are known.
struct Adapter {
  std::string_view op;
  std::uint8_t versions[12];  ///< opsets that changed the definition, ascending, then zeros
  void (*import)(Op&);
};

}  // namespace skiff::onnx
