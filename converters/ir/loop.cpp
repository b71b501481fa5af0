#include "converters/ir/loop.h"

#include <algorithm>

#include "runtime/core/checked.h"

namespace skiff::ir {
namespace {

using Function = fb::BinaryFunction;

/// A value that is start + turn * step at the end of turn 0, 1, ...
struct Progression {
  std::int64_t start = 0, step = 0;
};

bool is_integer(DType dtype) { return dtype == DType::int32 || dtype == DType::int64; }

/// Finds what bounds the turns of one loop.
class Search {
 public:
  Search(const Graph& around, const Loop& loop) : around_(around), loop_(loop), body_(loop.body) {}

  /// By the condition, a value of the body.
  std::optional<Turns> condition(ValueId id, int depth = 0) const {
    id = plain(id);
    if (body_.value(id).constant)
      return integers(body_.value(id)).at(0) != 0 ? std::nullopt : std::optional(Turns{1, true});
    const Node* node = producer(id, fb::OpKind::binary);
    if (node == nullptr || depth > 8) return std::nullopt;
    const auto function = node->attrs.get<fb::BinaryAttrs>().function();
    const ValueId a = node->inputs[0], b = node->inputs[1];
    if (function == Function::logical_and) {
      const auto x = condition(a, depth + 1), y = condition(b, depth + 1);
      if (!x || !y) return x ? Turns{x->most, false} : y ? std::optional(Turns{y->most, false}) : y;
      return Turns{std::min(x->most, y->most), false};
    }
    switch (function) {
      case Function::less:
        return compare(a, b, 0);
      case Function::less_equal:
        return compare(a, b, 1);
      case Function::greater:
        return compare(b, a, 0);
      case Function::greater_equal:
        return compare(b, a, 1);
      default:
        return std::nullopt;
    }
  }

 private:
  /// While low < high + slack.
  std::optional<Turns> compare(ValueId low, ValueId high, std::int64_t slack) const {
    const auto a = progression(low), b = progression(high);
    if (!a || !b) return std::nullopt;
    const std::int64_t step = a->step - b->step, gap = b->start + slack - a->start;
    if (gap <= 0) return Turns{1, true};
    if (step <= 0) return std::nullopt;
    return Turns{(gap + step - 1) / step + 1, true};
  }

  /// Numbers small enough that no sum above can overflow.
  static std::optional<std::int64_t> number(const Value& value) {
    if (!value.constant || !is_integer(value.dtype) || value.shape.elements() != 1)
      return std::nullopt;
    const std::int64_t n = integers(value)[0];
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    return n >= -kMost && n <= kMost ? std::optional(n) : std::nullopt;
  }

  std::optional<Progression> progression(ValueId id) const {
    id = plain(id);
    if (const auto n = number(body_.value(id))) return Progression{*n, 0};
    if (id == body_.inputs[0]) return Progression{0, 1};
    if (const auto counter = carried(id)) return counter;
    const auto [from, step] = sum(id);
    if (from == kAbsent) return std::nullopt;
    auto base = from == body_.inputs[0] ? Progression{0, 1} : carried(from).value_or(Progression{});
    if (base.step == 0) return std::nullopt;
    base.start += step;
    return base;
  }

  /// A carried value that grows by a constant: what it is before a turn changes it.
  std::optional<Progression> carried(ValueId id) const {
    for (std::size_t i = 0; i < loop_.carried.size(); ++i) {
      if (body_.inputs[2 + i] != id) continue;
      const auto start = number(around_.value(loop_.carried[i]));
      const auto [from, step] = sum(plain(body_.outputs[1 + i]));
      if (!start || from != id) return std::nullopt;
      return Progression{*start, step};
    }
    return std::nullopt;
  }

  struct Sum {
    ValueId value = kAbsent;
    std::int64_t number = 0;
  };
  Sum sum(ValueId id) const {
    const Node* node = producer(id, fb::OpKind::binary);
    if (node == nullptr || !is_integer(body_.value(id).dtype)) return {};
    const auto function = node->attrs.get<fb::BinaryAttrs>().function();
    const ValueId a = plain(node->inputs[0]), b = plain(node->inputs[1]);
    const auto x = number(body_.value(a)), y = number(body_.value(b));
    if (function == Function::add && y) return {a, *y};
    if (function == Function::add && x) return {b, *x};
    if (function == Function::sub && y) return {a, -*y};
    return {};
  }

  const Node* producer(ValueId id, fb::OpKind op) const {
    const NodeId node = body_.value(id).producer;
    return node >= 0 && body_.node(node).op == op ? &body_.node(node) : nullptr;
  }
  /// Through nodes that hand on the one number they get.
  ValueId plain(ValueId id) const {
    for (NodeId node = body_.value(id).producer; node >= 0; node = body_.value(id).producer) {
      const Node& maker = body_.node(node);
      const bool widens = maker.op == fb::OpKind::cast && is_integer(body_.value(id).dtype) &&
                          is_integer(body_.value(maker.inputs[0]).dtype);
      if (maker.op != fb::OpKind::identity && maker.op != fb::OpKind::reshape && !widens) break;
      id = maker.inputs[0];
    }
    return id;
  }

  const Graph& around_;
  const Loop& loop_;
  const Graph& body_;
};

bool always(const Loop& loop, ValueId condition) {
  for (NodeId node = loop.body.value(condition).producer; node >= 0;
       node = loop.body.value(condition).producer) {
    if (loop.body.node(node).op != fb::OpKind::identity) return false;
    condition = loop.body.node(node).inputs[0];
  }
  if (condition == loop.body.inputs[1]) return true;
  const Value& value = loop.body.value(condition);
  return value.constant && integers(value).at(0) != 0;
}

}  // namespace

std::optional<Turns> turns_of(const Graph& around, const Loop& loop) {
  if (always(loop, loop.body.outputs[0])) {
    if (!loop.trip_count) return std::nullopt;
    return Turns{std::max<std::int64_t>(0, *loop.trip_count), loop.starts};
  }
  auto turns = Search(around, loop).condition(loop.body.outputs[0]);
  if (turns) turns->exact = turns->exact && loop.starts;
  if (!loop.trip_count) return turns;
  const std::int64_t count = std::max<std::int64_t>(0, *loop.trip_count);
  if (!turns) return Turns{count, false};
  return Turns{std::min(turns->most, count), turns->exact};
}

std::vector<std::size_t> settle(const Graph& around, Loop& loop) {
  Graph& body = loop.body;
  std::vector<std::size_t> kept;
  std::vector<ValueId> inputs(body.inputs.begin(), body.inputs.begin() + 2), captured,
      outputs{body.outputs[0]}, operands;
  for (std::size_t i = 0; i < loop.carried.size(); ++i) {
    const ValueId inside = body.inputs[2 + i], outside = loop.carried[i];
    ValueId result = body.outputs[1 + i];
    if (result == inside) {
      if (const auto& constant = around.value(outside).constant) {
        body.value(inside).constant = constant;
      } else {
        captured.push_back(inside);
        loop.captured.push_back(outside);
      }
      continue;
    }
    kept.push_back(i);
    inputs.push_back(inside);
    operands.push_back(outside);
    const auto begin = body.inputs.begin() + 2;
    const auto end = begin + static_cast<std::ptrdiff_t>(loop.carried.size());
    if (std::find(begin, end, result) != end)
      result = body.add(fb::OpKind::identity, {}, {result}, body.value(result).name + "/copy");
    outputs.push_back(result);
  }
  const auto rest = [](std::vector<ValueId>& to, const std::vector<ValueId>& from,
                       std::size_t begin) {
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(begin), from.end());
  };
  rest(inputs, body.inputs, 2 + loop.carried.size());
  rest(inputs, captured, 0);
  rest(outputs, body.outputs, 1 + loop.carried.size());
  body.inputs = std::move(inputs);
  body.outputs = std::move(outputs);
  loop.carried = std::move(operands);
  return kept;
}

LoopNode make_node(Loop loop, const Turns& turns) {
  LoopNode node;
  node.attrs.max_trip_count = turns.most;
  node.attrs.captures = static_cast<std::int32_t>(loop.captured.size());
  node.inputs = loop.carried;
  node.inputs.insert(node.inputs.end(), loop.captured.begin(), loop.captured.end());
  node.outputs = loop.body.outputs.size() - 1;
  const std::byte yes[] = {std::byte{1}};
  if (turns.exact)
    loop.body.outputs[0] = loop.body.add_constant("condition", DType::boolean, {}, {yes, yes + 1});
  node.bodies.push_back(std::move(loop.body));
  return node;
}

std::vector<ValueId> results_of(const std::vector<ValueId>& before,
                                const std::vector<std::size_t>& kept,
                                const std::vector<ValueId>& outputs) {
  std::vector<ValueId> results = before;
  for (std::size_t i = 0; i < kept.size(); ++i) results[kept[i]] = outputs[i];
  results.insert(results.end(), outputs.begin() + static_cast<std::ptrdiff_t>(kept.size()),
                 outputs.end());
  return results;
}

}  // namespace skiff::ir
