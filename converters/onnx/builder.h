#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converters/ir/graph.h"

namespace skiff::onnx {

using ir::kAbsent;
using ir::ValueId;
using Ints = std::vector<std::int64_t>;

Ints to_ints(const Shape& shape);
/// Throws Error{unsupported} when there are more extents than a Shape holds.
Shape to_shape(std::span<const std::int64_t> extents);

/// Adds nodes to the graph in the name of one ONNX node after another. A node whose inputs are all
/// constants is evaluated at once when its result is small, so that shape arithmetic is known while
/// importing; what does nothing (a cast to the same type, say) is not added.
class Builder {
 public:
  /// `outer` builds the graph around a nested one: what may be computed is counted for both.
  explicit Builder(ir::Graph& graph, Builder* outer = nullptr)
      : graph_(graph), budget_(outer == nullptr ? &own_budget_ : outer->budget_) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// Nodes added from now on are named `name`, "name/2", ...; `source` goes to messages.
  void begin(std::string name, std::string source);

  ir::Graph& graph() noexcept { return graph_; }
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  DType dtype(ValueId id) const { return graph_.value(id).dtype; }
  int rank(ValueId id) const { return shape(id).rank(); }
  std::int64_t dim(ValueId id, int axis) const { return shape(id)[axis]; }

  /// True when the value is a constant or can be made one now, whatever its size.
  bool known(ValueId id);
  Ints integers(ValueId id) { return ir::integers(graph_.value(id)); }
  std::vector<double> numbers(ValueId id) { return ir::numbers(graph_.value(id)); }
  /// Names of the graph's inputs that the value is computed from.
  std::vector<std::string> origins(ValueId id) const;

  ValueId add(fb::OpKind op, ir::Attributes attrs, std::vector<ValueId> inputs);
  std::vector<ValueId> add_many(fb::OpKind op, ir::Attributes attrs, std::vector<ValueId> inputs,
                                std::size_t outputs, std::vector<ir::Graph> bodies = {});

  /// Counts bytes that a few bytes of the model ask for; throws Error{budget_exceeded} beyond what
  /// is reasonable.
  void charge(std::int64_t bytes);

  // Constants. scalar() and filled() convert the number to dtype.
  ValueId constant(DType dtype, const Shape& shape, std::vector<std::byte> bytes);
  template <typename T>
  ValueId constant(const Shape& shape, const std::vector<T>& numbers) {
    charge(static_cast<std::int64_t>(numbers.size() * sizeof(T)));
    return constant(dtype_of<T>(), shape, ir::bytes_of(std::span<const T>(numbers)));
  }
  ValueId scalar(DType dtype, double number);
  ValueId from_numbers(DType dtype, const Shape& shape, std::span<const double> numbers);
  ValueId from_integers(DType dtype, const Shape& shape, std::span<const std::int64_t> integers);

  // Elementwise
  ValueId unary(fb::UnaryFunction f, ValueId x, double alpha = 0, double beta = 0);
  ValueId binary(fb::BinaryFunction f, ValueId a, ValueId b);
  /// With a number of a's dtype.
  ValueId binary_number(fb::BinaryFunction f, ValueId a, double b);
  ValueId where(ValueId condition, ValueId a, ValueId b);
  ValueId cast(ValueId x, DType to, bool saturate = true);

  // Movement. Axes must be in range.
  ValueId reshape(ValueId x, const Shape& to);
  ValueId transpose(ValueId x, const Ints& perm);
  ValueId expand(ValueId x, const Shape& to);
  ValueId concat(std::vector<ValueId> parts, int axis);
  ValueId slice(ValueId x, const Ints& starts, const Ints& sizes, const Ints& steps);
  ValueId slice_axis(ValueId x, int axis, std::int64_t start, std::int64_t size);
  /// pads: begin of every axis, then end; negative entries cut.
  ValueId pad(ValueId x, Ints pads, fb::PadMode mode, double value, ValueId value_input = kAbsent);
  ValueId gather(ValueId x, ValueId indices, int axis);
  /// Axes of extent 1 put in at the given places of the result.
  ValueId unsqueeze(ValueId x, Ints axes);
  ValueId squeeze(ValueId x, const Ints& axes);

  ValueId reduce(fb::ReduceFunction f, ValueId x, Ints axes, bool keep);
  ValueId softmax(ValueId x, int axis, fb::SoftmaxFunction f = fb::SoftmaxFunction::softmax);
  ValueId matmul(ValueId a, ValueId b, bool transpose_a = false, bool transpose_b = false,
                 double scale = 1);

  // [N, C, S...] <-> [N, S..., C]: the borders of operators that are channels-last.
  ValueId channels_last(ValueId x);
  ValueId channels_first(ValueId x);
  /// A vector of C numbers as [C, 1...] so that it broadcasts over an NC... tensor of that rank.
  ValueId per_channel(ValueId x, int rank);

 private:
  bool fold(ValueId id, int depth);
  bool varies(ValueId id) const;
  void fold_small(ir::NodeId id);
  bool take_budget(ir::NodeId id);

  ir::Graph& graph_;
  std::string name_, source_;
  int count_ = 0;
  std::vector<char> varies_;  // by value id: depends on an input of the graph
  struct Budget {
    std::int64_t bytes = 0, work = 0;
  };
  Budget own_budget_;
  Budget* budget_;
};

}  // namespace skiff::onnx
