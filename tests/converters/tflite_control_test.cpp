#include <gtest/gtest.h>

#include "converters/ir/evaluate.h"
#include "tests/converters/tflite_builder.h"

// Operators that run other graphs of the file, and variables.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::TensorType;
using Numbers = std::vector<double>;
using Bytes = std::vector<std::byte>;

template <typename T>
Bytes bytes(std::vector<T> numbers) {
  return ir::bytes_of(std::span<const T>(numbers));
}

/// The outputs for these inputs, variables included.
std::vector<Numbers> computed(ir::Graph graph, const std::vector<Bytes>& inputs) {
  EXPECT_EQ(graph.inputs.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) graph.value(graph.inputs[i]).constant = inputs[i];
  for (ir::NodeId node : graph.order()) EXPECT_TRUE(ir::evaluate(graph, node));
  std::vector<Numbers> results;
  for (ir::ValueId output : graph.outputs) results.push_back(ir::numbers(graph.value(output)));
  return results;
}

int count(const ir::Graph& graph, fb::OpKind op) {
  int found = 0;
  for (ir::NodeId node : graph.order()) found += graph.node(node).op == op ? 1 : 0;
  return found;
}

/// y = c ? -x : |x|
TEST(TfliteControl, IfRunsOneOfTwoGraphs) {
  TfliteBuilder model;
  const int c = model.tensor("c", {}, TensorType::boolean), x = model.tensor("x", {3}),
            y = model.tensor("y", {3});
  model.op(Builtin::IF, {c, x}, {y}, tflite::CreateIf(model.tables(), 1, 2));
  model.end_graph({c, x}, {y});
  for (const Builtin op : {Builtin::NEG, Builtin::ABS}) {
    const int in = model.tensor("in", {3}), out = model.tensor("out", {3});
    model.op(op, {in}, {out});
    if (op == Builtin::NEG) model.end_graph({in}, {out});
  }
  const Bytes file = model.finish({0}, {1}), numbers = bytes<float>({-1, 2, -3});
  const ir::Graph graph = convert::import_tflite_bytes(file, {}).graph;
  EXPECT_EQ(count(graph, fb::OpKind::if_else), 1);
  EXPECT_EQ(computed(graph, {bytes<std::uint8_t>({1}), numbers})[0], (Numbers{1, -2, 3}));
  EXPECT_EQ(computed(graph, {bytes<std::uint8_t>({0}), numbers})[0], (Numbers{1, 2, 3}));
  const convert::ImportOptions bound{.bind = {{"c", bytes<std::uint8_t>({0})}}};
  EXPECT_EQ(count(convert::import_tflite_bytes(file, bound).graph, fb::OpKind::if_else), 0);
}

/// while (i < limit) { i += 1; x += x + w }, where w comes from outside and stays.
Bytes counting_loop() {
  TfliteBuilder model;
  const int zero = model.constant<std::int32_t>("zero", {}, {0}), x = model.tensor("x", {2}),
            w = model.tensor("w", {2}), n = model.tensor("n", {}, TensorType::int32),
            y = model.tensor("y", {2}), v = model.tensor("v", {2});
  model.op(Builtin::WHILE, {zero, x, w}, {n, y, v}, tflite::CreateWhile(model.tables(), 1, 2));
  model.end_graph({x, w}, {n, y});
  {
    const int i = model.tensor("i", {}, TensorType::int32), a = model.tensor("a", {2}),
              b = model.tensor("b", {2}), limit = model.constant<std::int32_t>("limit", {}, {5}),
              more = model.tensor("more", {}, TensorType::boolean);
    model.op(Builtin::LESS, {i, limit}, {more});
    model.end_graph({i, a, b}, {more});
  }
  const int i = model.tensor("i", {}, TensorType::int32), a = model.tensor("a", {2}),
            b = model.tensor("b", {2}), one = model.constant<std::int32_t>("one", {}, {1}),
            next = model.tensor("next", {}, TensorType::int32), twice = model.tensor("twice", {2}),
            sum = model.tensor("sum", {2});
  model.op(Builtin::ADD, {i, one}, {next}, tflite::CreateAdd(model.tables()));
  model.op(Builtin::ADD, {a, a}, {twice}, tflite::CreateAdd(model.tables()));
  model.op(Builtin::ADD, {twice, b}, {sum}, tflite::CreateAdd(model.tables()));
  return model.finish({i, a, b}, {next, sum, b});
}

TEST(TfliteControl, ACounterBoundsALoop) {
  const ir::Graph graph = convert::import_tflite_bytes(counting_loop(), {}).graph;
  ASSERT_EQ(count(graph, fb::OpKind::loop), 1);
  for (ir::NodeId id : graph.order())
    if (graph.node(id).op == fb::OpKind::loop) {
      const auto& attrs = graph.node(id).attrs.get<fb::LoopAttrs>();
      EXPECT_EQ(attrs.max_trip_count(), 5);
      EXPECT_EQ(attrs.captures(), 1) << "what stays the same is not carried";
    }
  const auto results = computed(graph, {bytes<float>({1, -1}), bytes<float>({0, 2})});
  EXPECT_EQ(results[0], Numbers{5});
  EXPECT_EQ(results[1], (Numbers{32, 30}));
}

/// Starts as (1, 2); every run adds x to it and gives the sum.
TEST(TfliteControl, VariablesBecomeValuesThatLast) {
  TfliteBuilder model;
  const auto handle = [&](const char* name) {
    const int tensor = model.tensor(name, {}, TensorType::resource);
    model.op(Builtin::VAR_HANDLE, {}, {tensor},
             tflite::CreateVarHandle(model.tables(), 0, model.tables().CreateString("memory")));
    return tensor;
  };
  const int x = model.tensor("x", {2}), before = model.tensor("before", {2}),
            sum = model.tensor("sum", {2});
  model.op(Builtin::CALL_ONCE, {}, {}, tflite::CreateCallOnce(model.tables(), 1));
  const int held = handle("held");
  model.op(Builtin::READ_VARIABLE, {held}, {before});
  model.op(Builtin::ADD, {before, x}, {sum}, tflite::CreateAdd(model.tables()));
  model.op(Builtin::ASSIGN_VARIABLE, {held, sum}, {});
  model.end_graph({x}, {sum});
  const int first = model.constant<float>("first", {2}, {1, 2}), given = handle("given");
  model.op(Builtin::ASSIGN_VARIABLE, {given, first}, {});
  const ir::Graph graph = convert::import_tflite_bytes(model.finish({}, {}), {}).graph;
  ASSERT_EQ(graph.variables.size(), 1u);
  EXPECT_EQ(graph.variables[0].initial, bytes<float>({1, 2}));
  EXPECT_EQ(graph.visible_inputs().size(), 1u);
  EXPECT_EQ(graph.visible_outputs().size(), 1u);
  const auto results = computed(graph, {bytes<float>({10, 20}), graph.variables[0].initial});
  EXPECT_EQ(results[0], (Numbers{11, 22}));
  EXPECT_EQ(results[1], (Numbers{11, 22}));
}

/// y = -|x|, where a composite's graph holds another composite.
TEST(TfliteControl, CompositesAreWhatTheirGraphsDo) {
  TfliteBuilder model;
  const int x = model.tensor("x", {3}), y = model.tensor("y", {3});
  model.composite({x}, {y}, 1);
  model.end_graph({x}, {y});
  const int in = model.tensor("in", {3}), size = model.tensor("size", {3}),
            out = model.tensor("out", {3});
  model.composite({in}, {size}, 2);
  model.op(Builtin::NEG, {size}, {out});
  model.end_graph({in}, {out});
  const int inner = model.tensor("inner", {3}), absolute = model.tensor("absolute", {3});
  model.op(Builtin::ABS, {inner}, {absolute});
  const Bytes file = model.finish({inner}, {absolute});
  const ir::Graph graph = convert::import_tflite_bytes(file, {}).graph;
  EXPECT_EQ(graph.order().size(), 2u);
  EXPECT_EQ(computed(graph, {bytes<float>({-1, 2, -3})})[0], (Numbers{-1, -2, -3}));
}

TEST(TfliteControl, ACompositeGivesAsManyValuesAsItsGraph) {
  TfliteBuilder model;
  const int x = model.tensor("x", {3}), y = model.tensor("y", {3}), z = model.tensor("z", {3});
  model.composite({x}, {y, z}, 1);
  model.end_graph({x}, {y});
  const int in = model.tensor("in", {3}), out = model.tensor("out", {3});
  model.op(Builtin::ABS, {in}, {out});
  EXPECT_THROW(convert::import_tflite_bytes(model.finish({in}, {out}), {}), Error);
}

TEST(TfliteControl, CompositesThatDefineThemselvesAreRefused) {
  TfliteBuilder model;
  const int x = model.tensor("x", {3}), y = model.tensor("y", {3});
  model.composite({x}, {y}, 0);
  EXPECT_THROW(convert::import_tflite_bytes(model.finish({x}, {y}), {}), Error);
}

TEST(TfliteControl, GraphsThatRunThemselvesAreRefused) {
  TfliteBuilder model;
  const int c = model.tensor("c", {}, TensorType::boolean), x = model.tensor("x", {3}),
            y = model.tensor("y", {3});
  model.op(Builtin::IF, {c, x}, {y}, tflite::CreateIf(model.tables(), 1, 1));
  model.end_graph({c, x}, {y});
  const int in = model.tensor("in", {3}), yes = model.constant<std::uint8_t>("yes", {}, {1}),
            out = model.tensor("out", {3});
  model.op(Builtin::IF, {yes, in}, {out}, tflite::CreateIf(model.tables(), 1, 1));
  EXPECT_THROW(convert::import_tflite_bytes(model.finish({in}, {out}), {}), Error);
}

}  // namespace
}  // namespace skiff::test
