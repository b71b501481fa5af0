#include "converters/dynamic/match.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "converters/dynamic/dims.h"
#include "runtime/core/error.h"

namespace skiff::dynamic {
namespace {

using ir::NodeId;
using ir::ValueId;

/// Where the bytes of `small` lie in `large`, row by row; false when they are not its corner.
bool is_corner(const ir::Value& small, const ir::Value& large) {
  if (small.dtype != large.dtype || small.shape.rank() != large.shape.rank()) return false;
  const int rank = small.shape.rank();
  for (int axis = 0; axis < rank; ++axis)
    if (small.shape[axis] > large.shape[axis]) return false;
  if (small.shape.elements() == 0) return true;
  const auto row =
      static_cast<std::size_t>(rank == 0 ? 1 : small.shape.back()) * size_of(small.dtype);
  const std::int64_t rows = rank == 0 ? 1 : small.shape.elements(0, rank - 1);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int64_t rest = r, at = 0, stride = rank == 0 ? 1 : large.shape.back();
    for (int axis = rank - 2; axis >= 0; --axis) {
      at += rest % small.shape[axis] * stride;
      rest /= small.shape[axis];
      stride *= large.shape[axis];
    }
    if (std::memcmp(small.constant->data() + static_cast<std::size_t>(r) * row,
                    large.constant->data() + static_cast<std::size_t>(at) * size_of(large.dtype),
                    row) != 0)
      return false;
  }
  return true;
}

class Matcher {
 public:
  Matcher(const ir::Graph& base, const ir::Graph& other) : base_(base), other_(other) {
    match_.values.assign(base.value_count(), ir::kAbsent);
    match_.nodes.assign(base.node_count(), -1);
  }

  Match run() {
    require(base_.inputs.size() == other_.inputs.size() &&
                base_.outputs.size() == other_.outputs.size(),
            ErrorCode::unsupported, "inputs or outputs come and go with the sizes");
    for (std::size_t i = 0; i < base_.inputs.size(); ++i)
      pair_up(base_.inputs[i], other_.inputs[i], "an input");
    for (std::size_t i = 0; i < base_.outputs.size(); ++i) {
      check_constant(base_.outputs[i], other_.outputs[i]);
      pair_up(base_.outputs[i], other_.outputs[i], "an output");
    }
    while (!open_.empty()) {
      const auto [a, b] = open_.back();
      open_.pop_back();
      visit(a, b);
    }
    return std::move(match_);
  }

 private:
  [[noreturn]] void part(const ir::Node& node, const std::string& what) const {
    fail(ErrorCode::unsupported, "with other sizes node '", node.name, "' (", name_of(node.op),
         ", from ", node.source.empty() ? node.name : node.source, ") ", what);
  }

  /// Values that are no constants correspond one to one.
  void pair_up(ValueId a, ValueId b, const std::string& where) {
    ValueId& partner = match_.values[static_cast<std::size_t>(a)];
    if (partner == b) return;
    const ir::Value &x = base_.value(a), &y = other_.value(b);
    require(partner == ir::kAbsent && x.dtype == y.dtype && x.shape.rank() == y.shape.rank() &&
                (x.producer < 0) == (y.producer < 0),
            ErrorCode::unsupported, "with other sizes value '", x.name, "' (", where,
            ") is another one, '", y.name, "'");
    partner = b;
    if (x.producer >= 0) open_.emplace_back(x.producer, y.producer);
  }

  /// An output that is a constant has one size and one content.
  void check_constant(ValueId a, ValueId b) const {
    const ir::Value &x = base_.value(a), &y = other_.value(b);
    require(x.constant == y.constant && (!x.constant || x.shape == y.shape), ErrorCode::unsupported,
            "with other sizes the output '", x.name, "' is another constant");
  }

  void visit(NodeId a, NodeId b) {
    NodeId& partner = match_.nodes[static_cast<std::size_t>(a)];
    if (partner == b) return;
    const ir::Node &x = base_.node(a), &y = other_.node(b);
    if (partner != -1 || x.op != y.op || x.inputs.size() != y.inputs.size() ||
        x.outputs.size() != y.outputs.size() || x.bodies.size() != y.bodies.size())
      part(x, std::string("is ") + name_of(y.op) + " '" + y.name + "'");
    partner = b;
    check_attributes(x, y);
    for (std::size_t i = 0; i < x.bodies.size(); ++i)
      match_.bodies[a].push_back(Matcher(x.bodies[i], y.bodies[i]).run());
    for (std::size_t i = 0; i < x.outputs.size(); ++i)
      pair_up(x.outputs[i], y.outputs[i], "a result of '" + x.name + "'");
    for (std::size_t i = 0; i < x.inputs.size(); ++i) operand(a, i, x.inputs[i], y.inputs[i]);
  }

  void check_attributes(const ir::Node& x, const ir::Node& y) const {
    ir::Attributes a = x.attrs, b = y.attrs;
    const auto blank = [](std::int64_t& number) { number = 0; };
    visit_dims(a, blank);
    visit_dims(b, blank);
    if (a != b) part(x, "has other attributes, which a .skiff file can only fix");
  }

  void operand(NodeId node, std::size_t input, ValueId a, ValueId b) {
    const ir::Node& reader = base_.node(node);
    if (a == ir::kAbsent || b == ir::kAbsent) {
      if (a != b) part(reader, "has other operands");
      return;
    }
    const ir::Value &x = base_.value(a), &y = other_.value(b);
    if (x.constant.has_value() != y.constant.has_value())
      part(reader, "reads '" + x.name + "', which is computed at one size and constant at another");
    if (!x.constant) return pair_up(a, b, "an operand of '" + reader.name + "'");
    if (x.shape == y.shape && x.dtype == y.dtype && x.constant == y.constant) return;
    if (!is_corner(y, x))
      part(reader, "reads the constant '" + x.name + "', which would hold other numbers");
    match_.constants.push_back({node, input, y.shape});
  }

  const ir::Graph& base_;
  const ir::Graph& other_;
  Match match_;
  std::vector<std::pair<NodeId, NodeId>> open_;
};

}  // namespace

Match match(const ir::Graph& base, const ir::Graph& other) { return Matcher(base, other).run(); }

}  // namespace skiff::dynamic
