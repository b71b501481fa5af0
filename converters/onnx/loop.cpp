#include <algorithm>

#include "converters/ir/loop.h"
#include "converters/onnx/importer.h"
#include "converters/onnx/nested.h"
#include "converters/onnx/table.h"
#include "runtime/ops/control.h"

// Loops. Few turns whose number is known are written out; other loops become a node whose body is a
// graph of its own.
namespace skiff::onnx {
namespace {

/// Turns that are written out where a loop cannot be a node (its shapes change, say).
constexpr std::int64_t kMaxWritten = 1024;
/// Nodes that may be written out where a loop could be a node.
constexpr std::int64_t kFewNodes = 256;

bool holds(Op& op, const Entry& condition) {
  const ValueId value = tensor_of(op, condition);
  op.check(op.b.known(value), "its condition must be known at conversion on every turn");
  const Ints numbers = op.b.integers(value);
  op.check(numbers.size() == 1, "its condition has ", numbers.size(), " elements");
  return numbers[0] != 0;
}

/// The pieces of all turns, one behind the other along a new axis.
ValueId stacked(Op& op, const std::vector<ValueId>& pieces, std::int64_t axis) {
  op.check(!pieces.empty(), "it never turns, so the shape of what it collects is unknown");
  std::vector<ValueId> parts;
  const int place = op.axis(axis, op.b.rank(pieces[0]) + 1);
  for (ValueId piece : pieces) parts.push_back(op.b.unsqueeze(piece, {place}));
  return op.b.concat(std::move(parts), place);
}

/// Every turn behind the other; all that decides about going on must be known.
void write_out_loop(Op& op) {
  const GraphProto& body = body_of(op, "body");
  const std::int64_t most = op.has(0) ? op.known_integer(0, "the trip count") : kMaxWritten + 1;
  bool going = !op.has(1) || op.known_integer(1, "the condition") != 0;
  std::vector<Entry> carried;
  for (int i = 2; i < op.inputs(); ++i) carried.push_back(entry_of(op, i));
  const std::size_t states = carried.size();
  op.check(body.output_size() >= static_cast<int>(states) + 1, "its body has ", body.output_size(),
           " outputs");
  std::vector<std::vector<ValueId>> scanned(static_cast<std::size_t>(body.output_size()) - 1 -
                                            states);
  for (std::int64_t turn = 0; turn < most && going; ++turn) {
    op.check(turn < kMaxWritten, "it turns more than ", kMaxWritten, " times");
    std::vector<Entry> inputs{{.tensor = op.b.from_integers(DType::int64, {}, std::span(&turn, 1))},
                              {.tensor = op.b.scalar(DType::boolean, 1)}};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    std::vector<Entry> results = op.importer.import_body(op, body, inputs);
    going = holds(op, results[0]);
    for (std::size_t i = 0; i < states; ++i) carried[i] = results[i + 1];
    for (std::size_t i = 0; i < scanned.size(); ++i)
      scanned[i].push_back(tensor_of(op, results[i + 1 + states]));
  }
  for (std::size_t i = 0; i < scanned.size(); ++i)
    if (const int output = static_cast<int>(i + states); op.wants(output))
      op.out(output, stacked(op, scanned[i], 0));
  for (std::size_t i = 0; i < states; ++i) define(op, static_cast<int>(i), carried[i]);
}

Ints per_value(Op& op, std::string_view name, std::size_t count) {
  Ints list = op.integers(name);
  if (list.empty()) list.assign(count, 0);
  op.check(list.size() == count, name, " has ", list.size(), " entries, needs ", count);
  return list;
}

void write_out_scan(Op& op) {
  const GraphProto& body = body_of(op, "body");
  const std::int64_t scans = op.integer("num_scan_inputs");
  op.check(scans >= 1 && scans <= op.inputs(), "num_scan_inputs is ", scans);
  const int states = op.inputs() - static_cast<int>(scans);
  op.check(body.output_size() >= states, "its body has ", body.output_size(), " outputs");
  const auto inputs = static_cast<std::size_t>(scans);
  const auto collected = static_cast<std::size_t>(body.output_size() - states);
  const Ints in_axes = per_value(op, "scan_input_axes", inputs),
             in_reverse = per_value(op, "scan_input_directions", inputs),
             out_axes = per_value(op, "scan_output_axes", collected),
             out_reverse = per_value(op, "scan_output_directions", collected);
  std::vector<Entry> carried;
  for (int i = 0; i < states; ++i) carried.push_back(entry_of(op, i));
  const auto axis_of = [&](int i) {
    return op.axis(in_axes[static_cast<std::size_t>(i)], op.rank(states + i));
  };
  const std::int64_t turns = op.shape(states)[axis_of(0)];
  op.check(turns <= kMaxWritten, "it turns ", turns, " times, more than ", kMaxWritten);
  std::vector<std::vector<ValueId>> scanned(collected);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    std::vector<Entry> values = carried;
    for (int i = 0; i < static_cast<int>(scans); ++i) {
      const bool back = in_reverse[static_cast<std::size_t>(i)] != 0;
      const int axis = axis_of(i);
      const ValueId piece =
          op.b.slice_axis(op.in(states + i), axis, back ? turns - 1 - turn : turn, 1);
      values.push_back({.tensor = op.b.squeeze(piece, {axis})});
    }
    const std::vector<Entry> results = op.importer.import_body(op, body, values);
    carried.assign(results.begin(), results.begin() + states);
    for (std::size_t i = 0; i < collected; ++i) {
      auto& pieces = scanned[i];
      const ValueId piece = tensor_of(op, results[i + static_cast<std::size_t>(states)]);
      pieces.insert(out_reverse[i] != 0 ? pieces.begin() : pieces.end(), piece);
    }
  }
  for (std::size_t i = 0; i < collected; ++i)
    if (const int output = states + static_cast<int>(i); op.wants(output))
      op.out(output, stacked(op, scanned[i], out_axes[i]));
  for (int i = 0; i < states; ++i) define(op, i, carried[static_cast<std::size_t>(i)]);
}

/// Nodes of a graph and those nested in it.
std::int64_t count_nodes(const GraphProto& graph) {
  std::int64_t count = graph.node_size();
  for (const NodeProto& node : graph.node())
    for (const AttributeProto& attribute : node.attribute())
      if (attribute.has_g()) count += count_nodes(attribute.g());
  return count;
}

bool is_short(const GraphProto& body, std::int64_t turns) {
  return turns <= 1 || turns <= kFewNodes / std::max<std::int64_t>(1, count_nodes(body));
}

void check_carried(Op& op, std::size_t i, const ir::Value& before, const ir::Value& after) {
  op.check(before.dtype == after.dtype && before.shape == after.shape, "carried value ", i, " is ",
           before.dtype, " ", before.shape, " before a turn and ", after.dtype, " ", after.shape,
           " behind it");
}

/// Adds inputs of the body that are like values of the graph around it.
void add_carried(Op& op, Scope& scope, const GraphProto& body, int first, int count,
                 std::vector<ValueId>& operands) {
  for (int i = 0; i < count; ++i) {
    const ValueId operand = tensor_of(op, entry_of(op, first + i));
    const ir::Value& value = op.b.graph().value(operand);
    const int place = static_cast<int>(scope.graph.inputs.size());
    op.check(place < body.input_size(), "its body has ", body.input_size(), " inputs");
    scope.graph.add_input(body.input(place).name(), value.dtype, value.shape);
    operands.push_back(operand);
  }
}

/// The node, and what its outputs stand for: of the operands `before`, which were carried, those
/// that the body hands on are themselves what comes out.
void add_loop(Op& op, ir::Loop& loop, const ir::Turns& turns, ValueId trip_count, ValueId condition,
              const std::vector<ValueId>& before, const std::vector<std::size_t>& kept) {
  if (turns.exact) {
    trip_count = op.b.from_integers(DType::int64, {}, std::span(&turns.most, 1));
    condition = op.b.scalar(DType::boolean, 1);
  }
  ir::LoopNode node = ir::make_node(std::move(loop), turns);
  node.inputs.insert(node.inputs.begin(), {trip_count, condition});
  const std::vector<ValueId> outputs = op.b.add_many(
      fb::OpKind::loop, node.attrs, std::move(node.inputs), node.outputs, std::move(node.bodies));
  const std::vector<ValueId> results = ir::results_of(before, kept, outputs);
  for (std::size_t i = 0; i < results.size(); ++i) op.out(static_cast<int>(i), results[i]);
}

/// An operand that is one number, as the loop takes it.
ValueId one_number(Op& op, int i, DType dtype, std::int64_t absent) {
  if (!op.has(i)) return op.b.from_integers(dtype, {}, std::span(&absent, 1));
  const ValueId value = op.in(i);
  op.check(op.b.shape(value).elements() == 1, "input ", i, " has the shape ", op.b.shape(value));
  return op.b.cast(value, dtype);
}

void nest_loop(Op& op) {
  const GraphProto& body = body_of(op, "body");
  const ValueId trip_count = one_number(op, 0, DType::int64, INT64_MAX),
                condition = one_number(op, 1, DType::boolean, 1);
  Scope scope(op.frame.scope);
  scope.graph.add_input("turn", DType::int64, {});
  scope.graph.add_input("condition", DType::boolean, {});
  ir::Loop loop;
  add_carried(op, scope, body, 2, std::max(0, op.inputs() - 2), loop.carried);
  op.importer.import_nested(op, body, scope);
  const std::size_t carried = loop.carried.size();
  op.check(scope.graph.outputs.size() > carried, "its body has ", scope.graph.outputs.size(),
           " outputs");
  for (std::size_t i = 0; i < carried; ++i)
    check_carried(op, i, scope.graph.value(scope.graph.inputs[2 + i]),
                  scope.graph.value(scope.graph.outputs[1 + i]));
  const ir::Value& goes_on = scope.graph.value(scope.graph.outputs[0]);
  op.check(goes_on.dtype == DType::boolean && goes_on.shape.elements() == 1,
           "its body's condition is ", goes_on.dtype, " ", goes_on.shape);
  loop.captured = scope.captured;
  if (op.b.known(trip_count)) loop.trip_count = op.b.integers(trip_count)[0];
  if (loop.trip_count && *loop.trip_count > kMaxTurns) loop.trip_count.reset();
  loop.starts = op.b.known(condition) && op.b.integers(condition)[0] != 0;
  loop.body = std::move(scope.graph);
  const bool collects = loop.body.outputs.size() > carried + 1;
  const std::vector<ValueId> before = loop.carried;
  const std::vector<std::size_t> kept = ir::settle(op.b.graph(), loop);
  auto turns = ir::turns_of(op.b.graph(), loop);
  if (!turns && op.importer.loop_bound() > 0) turns = ir::Turns{op.importer.loop_bound(), false};
  if (!turns || turns->most > kMaxTurns)
    op.refuse("how often it turns is not bounded by what is known at conversion",
              "bound it with --max-turns N; a run that turns more often then fails");
  op.check(turns->exact || !collects, "what it collects has an entry a turn, and how often it ",
           "turns depends on the data");
  op.check(turns->most > 0 || !collects, "it never turns, so what it collects is empty");
  add_loop(op, loop, *turns, trip_count, condition, before, kept);
}

void import_loop(Op& op) {
  const GraphProto& body = body_of(op, "body");
  const bool counted = op.has(0) && op.b.known(op.in(0));
  const bool open = op.has(0) && !counted, decided = !op.has(1) || op.b.known(op.in(1));
  const bool write_first =
      !open && decided &&
      (op.importer.writes_out_loops() || (counted && is_short(body, op.known_integer(0, ""))) ||
       (op.has(1) && op.known_integer(1, "") == 0));
  if (write_first && op.importer.attempt([&] { write_out_loop(op); })) return;
  Refuse why;
  if (op.importer.attempt([&] { nest_loop(op); }, &why)) return;
  if (!open && decided && op.importer.attempt([&] { write_out_loop(op); })) return;
  refuse_unless_bound(op, why, {0, 1});
}

void nest_scan(Op& op, std::int64_t turns) {
  const GraphProto& body = body_of(op, "body");
  const auto scanned = static_cast<int>(op.integer("num_scan_inputs"));
  const int states = op.inputs() - scanned;
  const int collected = body.output_size() - states;
  const Ints in_axes = per_value(op, "scan_input_axes", static_cast<std::size_t>(scanned)),
             in_reverse = per_value(op, "scan_input_directions", static_cast<std::size_t>(scanned)),
             out_axes = per_value(op, "scan_output_axes", static_cast<std::size_t>(collected)),
             out_reverse =
                 per_value(op, "scan_output_directions", static_cast<std::size_t>(collected));
  fb::LoopAttrsT attrs;
  attrs.max_trip_count = turns;
  attrs.scan_inputs = scanned;
  attrs.scan_input_reverse.assign(in_reverse.begin(), in_reverse.end());
  attrs.scan_output_reverse.assign(out_reverse.begin(), out_reverse.end());
  Scope scope(op.frame.scope);
  std::vector<ValueId> operands;
  add_carried(op, scope, body, 0, states, operands);
  for (int i = 0; i < scanned; ++i) {
    const ValueId whole = op.in(states + i);
    const int axis = op.axis(in_axes[static_cast<std::size_t>(i)], op.b.rank(whole));
    attrs.scan_input_axes.push_back(axis);
    Shape slice;
    for (int a = 0; a < op.b.rank(whole); ++a)
      if (a != axis) slice.push_back(op.b.dim(whole, a));
    const int place = states + i;
    op.check(place < body.input_size(), "its body has ", body.input_size(), " inputs");
    scope.graph.add_input(body.input(place).name(), op.b.dtype(whole), slice);
    operands.push_back(whole);
  }
  op.importer.import_nested(op, body, scope);
  ir::Graph& graph = scope.graph;
  const auto carried = graph.inputs.begin();
  for (int i = 0; i < states; ++i) {
    ValueId& result = graph.outputs[static_cast<std::size_t>(i)];
    check_carried(op, static_cast<std::size_t>(i),
                  graph.value(graph.inputs[static_cast<std::size_t>(i)]), graph.value(result));
    const auto found = std::find(carried, carried + states, result);
    if (found != carried + states && found != carried + i)
      result = graph.add(fb::OpKind::identity, {}, {result}, graph.value(result).name + "/copy");
  }
  for (int i = 0; i < collected; ++i)
    attrs.scan_output_axes.push_back(
        op.axis(out_axes[static_cast<std::size_t>(i)],
                graph.value(graph.outputs[static_cast<std::size_t>(states + i)]).shape.rank() + 1));
  attrs.captures = static_cast<std::int32_t>(scope.captured.size());
  operands.insert(operands.end(), scope.captured.begin(), scope.captured.end());
  std::vector<ir::Graph> bodies;
  bodies.push_back(std::move(graph));
  const std::vector<ValueId> outputs =
      op.b.add_many(fb::OpKind::scan, attrs, std::move(operands),
                    static_cast<std::size_t>(states + collected), std::move(bodies));
  for (int i = 0; i < states + collected; ++i) op.out(i, outputs[static_cast<std::size_t>(i)]);
}

void import_scan(Op& op) {
  op.check(op.version >= 9, "the form with sequence_lens (before opset 9) is not known");
  const GraphProto& body = body_of(op, "body");
  const std::int64_t scans = op.integer("num_scan_inputs");
  op.check(scans >= 1 && scans <= op.inputs(), "num_scan_inputs is ", scans);
  const int states = op.inputs() - static_cast<int>(scans);
  op.check(body.output_size() >= states, "its body has ", body.output_size(), " outputs");
  const Ints axes = per_value(op, "scan_input_axes", static_cast<std::size_t>(scans));
  const std::int64_t turns = op.shape(states)[op.axis(axes[0], op.rank(states))];
  const bool fits = turns <= kMaxWritten;
  if (fits && (is_short(body, turns) || op.importer.writes_out_loops()) &&
      op.importer.attempt([&] { write_out_scan(op); }))
    return;
  Refuse why;
  if (op.importer.attempt([&] { nest_scan(op, turns); }, &why)) return;
  if (fits && op.importer.attempt([&] { write_out_scan(op); })) return;
  throw why;
}

constexpr Adapter kAdapters[] = {
    {"Loop", {1, 11, 13, 16, 19, 21, 23, 24, 25}, import_loop},
    {"Scan", {8, 9, 11, 16, 19, 21, 23, 24, 25}, import_scan},
};

}  // namespace

std::span<const Adapter> loop_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
