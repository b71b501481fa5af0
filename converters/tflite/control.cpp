#include <algorithm>

#include "converters/ir/counts.h"
#include "converters/ir/loop.h"
#include "converters/tflite/importer.h"
#include "converters/tflite/imports.h"
#include "runtime/ops/control.h"

// Operators that run other graphs of the file.
namespace skiff::convert::tfl {
namespace {

/// A graph that becomes a body, and what its operands are in it.
struct Nest {
  ir::Graph graph;
  std::vector<Slot> inputs;
  std::vector<ir::ValueId> variables;  ///< what they hold
  std::vector<ir::ValueId> operands;   ///< of the graph around it, one an input of the graph
};

ir::ValueId add_operand(Operation& op, Nest& nest, ir::ValueId outside) {
  const ir::Value& value = op.graph().value(outside);
  nest.operands.push_back(outside);
  return nest.graph.add_input(value.name, value.dtype, value.shape);
}

ir::ValueId copy_constant(Operation& op, Nest& nest, ir::ValueId outside) {
  const ir::Value& value = op.graph().value(outside);
  op.charge(static_cast<std::int64_t>(value.constant->size()));
  return nest.graph.add_constant(value.name, value.dtype, value.shape, *value.constant);
}

/// `stays(i)`: operand i is the same whenever the graph runs; constants then become its own.
template <typename Stays>
void add_operands(Operation& op, Nest& nest, const std::vector<Slot>& slots, bool variables,
                  const Stays& stays) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot inside = slots[i];
    if (inside.variable < 0)
      inside.value = stays(i) && op.graph().value(inside.value).constant
                         ? copy_constant(op, nest, inside.value)
                         : add_operand(op, nest, inside.value);
    nest.inputs.push_back(inside);
  }
  const std::size_t count = op.importer().variables().size();
  nest.variables.assign(count, ir::kAbsent);
  for (std::size_t v = 0; variables && v < count; ++v)
    nest.variables[v] = add_operand(op, nest, op.importer().current(static_cast<int>(v)));
}

std::vector<Slot> slots_from(Operation& op, int first) {
  std::vector<Slot> slots;
  for (int i = first; i < op.input_count(); ++i) slots.push_back(op.slot(i));
  return slots;
}

std::vector<Slot> run_in(Operation& op, std::int64_t graph, Nest& nest,
                         const std::vector<Slot>& inputs) {
  std::vector<Slot> results =
      Importer(op.importer(), graph, nest.graph).call(inputs, &nest.variables);
  if (ir::has_counting(nest.graph)) op.refuse("a size in a graph it runs depends on the data");
  return results;
}

ir::ValueId tensor_of(const Operation& op, const Slot& slot) {
  if (slot.variable >= 0) op.refuse("it hands out the handle of a variable");
  return slot.value;
}

void same_kind(const Operation& op, const ir::Value& a, const ir::Value& b, const char* where) {
  if (a.dtype != b.dtype || a.shape != b.shape)
    op.refuse("'", a.name, "' is ", a.dtype, " ", a.shape, ", ", where, " '", b.name, "' is ",
              b.dtype, " ", b.shape, ": the size would depend on the data");
}

void nest_branches(Operation& op, const std::vector<Slot>& slots) {
  const std::int64_t graphs[] = {op.options<tflite::If>().then_graph(),
                                 op.options<tflite::If>().else_graph()};
  const Model& model = op.importer().model();
  const bool variables = uses_variables(model, graphs[0]) || uses_variables(model, graphs[1]);
  Nest nests[2];
  for (int b = 0; b < 2; ++b) {
    Nest& nest = nests[b];
    add_operands(op, nest, slots, variables, [](std::size_t) { return true; });
    for (const Slot& result : run_in(op, graphs[b], nest, nest.inputs))
      nest.graph.outputs.push_back(tensor_of(op, result));
    for (std::size_t v = 0; variables && v < nest.variables.size(); ++v)
      nest.graph.outputs.push_back(nest.variables[v]);
  }
  const std::size_t count = nests[0].graph.outputs.size();
  op.check(count == nests[1].graph.outputs.size(), "its branches give ", count, " and ",
           nests[1].graph.outputs.size(), " values");
  for (std::size_t i = 0; i < count; ++i)
    same_kind(op, nests[0].graph.value(nests[0].graph.outputs[i]),
              nests[1].graph.value(nests[1].graph.outputs[i]), "in the other branch");
  std::vector<ir::ValueId> operands = nests[0].operands;
  operands.insert(operands.begin(), op.in(0));
  std::vector<ir::Graph> bodies;
  for (Nest& nest : nests) bodies.push_back(std::move(nest.graph));
  const ir::NodeId node = op.add_node(fb::OpKind::if_else, fb::IfAttrsT(), std::move(operands),
                                      count, std::move(bodies));
  const std::vector<ir::ValueId> results = op.graph().node(node).outputs;
  const auto outputs = static_cast<std::size_t>(op.output_count());
  for (std::size_t i = 0; i < outputs; ++i) op.output(results.at(i), static_cast<int>(i));
  for (std::size_t v = 0; variables && v < op.importer().variables().size(); ++v)
    op.importer().assign(static_cast<int>(v), results.at(outputs + v));
}

/// The loop's body: the file's body graph and, behind it, the condition's.
struct While {
  Nest nest;
  ir::Loop loop;
  std::vector<Slot> results;  ///< what the operator's outputs are if it never turns
  std::vector<bool> stays;    ///< by operand
};

std::vector<bool> find_constants(const Model& body, const std::vector<Slot>& slots) {
  const auto inputs = to_list(body.main().inputs()), outputs = to_list(body.main().outputs());
  std::vector<bool> stays(slots.size(), false);
  for (std::size_t i = 0; i < slots.size() && i < inputs.size() && i < outputs.size(); ++i)
    stays[i] = inputs[i] == outputs[i];
  return stays;
}

void check_results(const Operation& op, const Nest& nest, const std::vector<Slot>& inputs,
                   const std::vector<Slot>& results) {
  op.check(results.size() == inputs.size(), "its body gives ", results.size(), " values for ",
           inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (results[i].variable != inputs[i].variable)
      op.refuse("its body changes which variable a handle means");
    if (inputs[i].variable < 0)
      same_kind(op, nest.graph.value(inputs[i].value), nest.graph.value(results[i].value),
                "behind a turn");
  }
}

/// Imports body and condition into one graph. The order of what is carried is that of the operands,
/// then of the variables.
void build(Operation& op, const std::vector<Slot>& slots, While& made) {
  const auto& graphs = op.options<tflite::While>();
  const Model& model = op.importer().model();
  const bool variables =
      uses_variables(model, graphs.body_graph()) || uses_variables(model, graphs.condition_graph());
  Nest& nest = made.nest;
  nest.graph.add_input("turn", DType::int64, {});
  nest.graph.add_input("condition", DType::boolean, {});
  made.stays = find_constants(model.at(graphs.body_graph()), slots);
  add_operands(op, nest, slots, variables, [&](std::size_t i) { return made.stays[i]; });
  const std::vector<Slot> results = run_in(op, graphs.body_graph(), nest, nest.inputs);
  check_results(op, nest, nest.inputs, results);
  const std::vector<Slot> goes_on = run_in(op, graphs.condition_graph(), nest, results);
  op.check(goes_on.size() == 1, "its condition gives ", goes_on.size(), " values");
  nest.graph.outputs.push_back(tensor_of(op, goes_on[0]));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const bool constant = made.stays[i] && slots[i].variable < 0 &&
                          nest.graph.value(nest.inputs[i].value).constant.has_value();
    if (results[i].variable < 0 && !constant) nest.graph.outputs.push_back(results[i].value);
  }
  for (std::size_t v = 0; variables && v < nest.variables.size(); ++v)
    nest.graph.outputs.push_back(nest.variables[v]);
  made.loop.body = std::move(nest.graph);
  made.loop.carried = nest.operands;
}

ir::Turns bounded(Operation& op, const ir::Loop& loop) {
  auto turns = ir::turns_of(op.graph(), loop);
  const std::int64_t given = op.importer().options().max_turns;
  if (!turns && given > 0) turns = ir::Turns{given, false};
  if (!turns || turns->most > kMaxTurns)
    op.refuse("how often it turns is not bounded by what is known at conversion: bound it with ",
              "--max-turns N; a run that turns more often then fails");
  return *turns;
}

}  // namespace

void import_if(Operation& op) {
  const std::vector<Slot> slots = slots_from(op, 1);
  const ir::Value& condition = op.graph().value(op.in(0));
  op.check(condition.dtype == DType::boolean && condition.shape.elements() == 1,
           "its condition is ", condition.dtype, " ", condition.shape);
  if (!condition.constant) return nest_branches(op, slots);
  const auto& graphs = op.options<tflite::If>();
  const bool taken = op.integer(0) != 0;
  Importer branch(op.importer(), taken ? graphs.then_graph() : graphs.else_graph(), op.graph());
  const std::vector<Slot> results = branch.call(slots, nullptr);
  for (int i = 0; i < op.output_count(); ++i) op.output(results.at(static_cast<std::size_t>(i)), i);
}

/// What the graph of the operator's definition does.
void import_composite(Operation& op) {
  const auto* options = op.source().options_2_as_Composite();
  op.check(options != nullptr, "it names no graph");
  Importer definition(op.importer(), options->graph(), op.graph());
  const std::vector<Slot> results = definition.call(slots_from(op, 0), nullptr);
  op.check(results.size() == static_cast<std::size_t>(op.output_count()), "its graph gives ",
           results.size(), " values for ", op.output_count());
  for (int i = 0; i < op.output_count(); ++i) op.output(results[static_cast<std::size_t>(i)], i);
}

void import_while(Operation& op) {
  const std::vector<Slot> slots = slots_from(op, 0);
  Importer first(op.importer(), op.options<tflite::While>().condition_graph(), op.graph());
  const std::vector<Slot> starts = first.call(slots, nullptr);
  op.check(starts.size() == 1, "its condition gives ", starts.size(), " values");
  ir::ValueId condition = tensor_of(op, starts[0]);
  While made;
  build(op, slots, made);
  const ir::Value& known = op.graph().value(condition);
  op.check(known.dtype == DType::boolean && known.shape.elements() == 1, "its condition is ",
           known.dtype, " ", known.shape);
  made.loop.starts = known.constant && ir::integers(known)[0] != 0;
  const std::vector<ir::ValueId> before = made.loop.carried;
  const std::vector<std::size_t> kept = ir::settle(op.graph(), made.loop);
  const ir::Turns turns = bounded(op, made.loop);
  ir::LoopNode node = ir::make_node(std::move(made.loop), turns);
  node.inputs.insert(
      node.inputs.begin(),
      {op.constant<std::int64_t>({}, {turns.exact ? turns.most : INT64_MAX}), condition});
  const ir::NodeId id = op.add_node(fb::OpKind::loop, node.attrs, std::move(node.inputs),
                                    node.outputs, std::move(node.bodies));
  const std::vector<ir::ValueId> results =
      ir::results_of(before, kept, op.graph().node(id).outputs);
  std::size_t next = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot result = slots[i];
    const bool constant =
        made.stays[i] && result.variable < 0 && op.graph().value(result.value).constant.has_value();
    if (result.variable < 0 && !constant) result.value = results.at(next++);
    op.output(result, static_cast<int>(i));
  }
  for (std::size_t v = 0; next < results.size(); ++v)
    op.importer().assign(static_cast<int>(v), results[next++]);
}

}  // namespace skiff::convert::tfl
