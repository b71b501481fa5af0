#include <gtest/gtest.h>

#include "tests/converters/onnx_builder.h"

// What the importer does with whole models: inputs, outputs, cuts, constants, nested graphs,
// layouts.
namespace skiff::test {
namespace {

using convert::ImportOptions;
using Doubles = std::vector<double>;

TEST(OnnxImport, KeepsNamesAndShapesOfInputsAndOutputs) {
  const auto imported =
      OnnxBuilder().input("x", {2, 3}).node("Relu", {"x"}, {"y"}).output("y").import();
  const ir::Graph& graph = imported.graph;
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 3}));
  EXPECT_EQ(imported.source.format, "onnx");
  EXPECT_EQ(imported.source.opset, 17);
  EXPECT_EQ(imported.source.sha256.size(), 64U);
}

TEST(OnnxImport, AnInputThatIsAnOutputIsCopied) {
  const auto graph =
      OnnxBuilder().input("x", {2}).node("Identity", {"x"}, {"y"}).output("y").import().graph;
  EXPECT_EQ(operators(graph), "identity");
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
}

TEST(OnnxImport, ShapeArithmeticIsKnownAfterwards) {
  OnnxBuilder model;
  model.input("x", {2, 3, 4}).integers("one", {1}).integers("rest", {-1});
  model.node("Shape", {"x"}, {"s"})
      .node("Gather", {"s", "one"}, {"d"})
      .attr("axis", std::int64_t{0});
  model.node("Concat", {"rest", "d"}, {"t"}).attr("axis", std::int64_t{0});
  model.node("Reshape", {"x", "t"}, {"y"}).output("y");
  const auto graph = model.import().graph;
  EXPECT_EQ(operators(graph), "reshape");
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{8, 3}));
}

TEST(OnnxImport, AConvolutionStandsBetweenTransposesAndItsWeightsArePermuted) {
  OnnxBuilder model;
  model.input("x", {1, 2, 3, 3}).floats("w", {1, 2, 2, 1}, {1, 2, 3, 4});
  model.node("Conv", {"x", "w"}, {"y"}).output("y");
  const auto graph = model.import().graph;
  EXPECT_EQ(operators(graph), "transpose conv transpose");
  const ir::Node& conv = graph.node(graph.order()[1]);
  EXPECT_EQ(graph.value(conv.inputs[1]).shape, (Shape{1, 2, 1, 2}));
  EXPECT_EQ(ir::numbers(graph.value(conv.inputs[1])), (Doubles{1, 3, 2, 4}));
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{1, 1, 2, 3}));
}

TEST(OnnxImport, SymbolicExtentsAskForAShape) {
  OnnxBuilder model;
  model.input("x", {-1, 3}).node("Relu", {"x"}, {"y"}).output("y");
  const std::string text = error_of(model);
  EXPECT_NE(text.find("'x'"), std::string::npos) << text;
  EXPECT_NE(text.find("--shape x="), std::string::npos) << text;
  EXPECT_EQ(error_of(model, {.shapes = {{"x", {5, 3}}}}), "");
  EXPECT_NE(error_of(model, {.shapes = {{"x", {5, 4}}}}), "");
  EXPECT_NE(error_of(model, {.shapes = {{"z", {5, 4}}}}), "");
}

TEST(OnnxImport, BoundInputsAreConstants) {
  OnnxBuilder model;
  model.input("x", {6}).input("to", {2}, 7).node("Reshape", {"x", "to"}, {"y"}).output("y");
  const auto refusals = refusals_of(model);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].op, "Reshape-14");
  EXPECT_EQ(refusals[0].bind, (Names{"to"}));
  EXPECT_NE(refusals[0].help.find("--bind to="), std::string::npos);
  const std::vector<std::int64_t> to{3, 2};
  const auto graph = model.import({.bind = {{"to", ir::bytes_of(std::span(to))}}}).graph;
  EXPECT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{3, 2}));
}

TEST(OnnxImport, ACutLooksAtNothingOutside) {
  OnnxBuilder model;
  model.input("a", {2}).node("Unheard", {"a"}, {"x"}).node("Neg", {"x"}, {"y"});
  model.node("Unheard", {"y"}, {"z"}).output("z");
  const auto graph = model.import({.shapes = {{"x", {4}}}, .from = {"x"}, .to = {"y"}}).graph;
  EXPECT_EQ(operators(graph), "unary");
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_EQ(graph.value(graph.inputs[0]).shape, (Shape{4}));
  EXPECT_NE(error_of(model, {.from = {"q"}}), "");
}

TEST(OnnxImport, EveryOffendingNodeIsListed) {
  OnnxBuilder model;
  model.input("x", {2}).node("Unheard", {"x"}, {"a"}).node("Relu", {"a"}, {"b"});
  model.node("AlsoUnheard", {"b"}, {"c"})
      .node("Relu", {"x"}, {"d"})
      .attr("strange", std::int64_t{1});
  model.node("Sum", {"c", "d"}, {"y"}).output("y");
  const auto refusals = refusals_of(model);
  ASSERT_EQ(refusals.size(), 3U);
  EXPECT_EQ(refusals[0].node, "a");
  EXPECT_EQ(refusals[1].op, "AlsoUnheard");
  EXPECT_EQ(refusals[2].op, "Relu-14");
  EXPECT_NE(refusals[2].reason.find("strange"), std::string::npos);
}

TEST(OnnxImport, AKnownConditionChoosesABranch) {
  OnnxBuilder then_branch, else_branch, model;
  then_branch.node("Neg", {"x"}, {"t"}).output("t");
  else_branch.node("Abs", {"x"}, {"e"}).output("e");
  model.input("x", {2})
      .integers("one", {1})
      .node("Cast", {"one"}, {"c"})
      .attr("to", std::int64_t{9});
  model.node("If", {"c"}, {"y"}).attr("then_branch", then_branch.graph());
  model.attr("else_branch", else_branch.graph()).output("y");
  EXPECT_EQ(compute(model.import().graph, {{1, -2}}), (Doubles{-1, 2}));
}

TEST(OnnxImport, ALoopOfKnownLengthIsWrittenOut) {
  OnnxBuilder body, model;
  body.input("i", {}, 7).input("go", {}, 9).input("v", {2});
  body.node("Identity", {"go"}, {"again"}).node("Add", {"v", "v"}, {"w"});
  body.output("again").output("w");
  model.input("x", {2}).integers("three", {3});
  model.node("Loop", {"three", "", "x"}, {"y"}).attr("body", body.graph()).output("y");
  EXPECT_EQ(compute(model.import().graph, {{1, 3}}), (Doubles{8, 24}));
}

TEST(OnnxImport, FunctionsAreInlinedAndMayNotCallThemselves) {
  OnnxBuilder model;
  model.input("x", {2}).node("Twice", {"x"}, {"y"}).attr("slope", 0.5f).output("y");
  model.graph().mutable_node(0)->set_domain("local");
  onnx::FunctionProto& twice = *model.model.add_functions();
  twice.set_name("Twice");
  twice.set_domain("local");
  twice.add_input("a");
  twice.add_output("b");
  twice.add_attribute("slope");
  twice.add_opset_import()->set_version(17);
  onnx::NodeProto& leaky = *twice.add_node();
  leaky.set_op_type("LeakyRelu");
  leaky.add_input("a");
  leaky.add_output("b");
  leaky.add_attribute()->set_name("alpha");
  leaky.mutable_attribute(0)->set_ref_attr_name("slope");
  EXPECT_EQ(compute(model.import().graph, {{4, -4}}), (Doubles{4, -2}));
  leaky.set_op_type("Twice");
  leaky.set_domain("local");
  EXPECT_NE(refusals_of(model).at(0).reason.find("calls itself"), std::string::npos);
}

TEST(OnnxImport, OperatorSetsBeyondThoseKnownAreRefused) {
  EXPECT_NE(error_of(OnnxBuilder(99).input("x", {1}).node("Relu", {"x"}, {"y"}).output("y")), "");
}

TEST(OnnxImport, TypesThatAreNoTensorsAreRefusedByName) {
  OnnxBuilder model;
  model.input("x", {2}, 8).node("Identity", {"x"}, {"y"}).output("y");
  EXPECT_NE(refusals_of(model).at(0).reason.find("string"), std::string::npos);
}

}  // namespace
}  // namespace skiff::test
