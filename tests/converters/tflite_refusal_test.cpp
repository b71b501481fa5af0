#include <gtest/gtest.h>

#include "tests/converters/tflite_builder.h"

// What is refused, how it is said, and what --from, --to, --bind and --shape change.
namespace skiff::test {
namespace {

using convert::ImportOptions;
using convert::Refusal;
using convert::Refused;
using tflite::Builtin;
using tflite::TensorType;

std::vector<Refusal> refusals(const std::vector<std::byte>& model,
                              const ImportOptions& options = {}) {
  try {
    convert::import_tflite_bytes(model, options);
  } catch (const Refused& refused) {
    return refused.refusals();
  }
  ADD_FAILURE() << "it was not refused";
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(TfliteRefusal, EveryOffendingNodeIsListed) {
  TfliteBuilder model;
  const int x = model.tensor("x", {1, 4}), a = model.tensor("a", {1, 4}),
            b = model.quantized("b", {1, 4}, TensorType::int8), c = model.tensor("c", {1, 4}),
            d = model.tensor("d", {1, 4}), e = model.tensor("e", {1, 4});
  model.custom("Fancy", {x}, {a});
  model.op(Builtin::QUANTIZE, {a}, {b});
  model.op(Builtin::DEQUANTIZE, {b}, {c});
  model.op(Builtin::NEG, {c}, {d});
  model.op(Builtin::STABLEHLO_WHILE, {d}, {e});
  const auto list = refusals(model.finish({x}, {e}));
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].node, "a");
  EXPECT_EQ(list[0].op, "custom operator 'Fancy'");
  EXPECT_EQ(list[1].op, "QUANTIZE version 1");
  EXPECT_TRUE(contains(list[1].reason, "quantised")) << list[1].reason;
  EXPECT_EQ(list[2].node, "c");
  EXPECT_EQ(list[3].op, "STABLEHLO_WHILE version 1");
  for (const Refusal& refusal : list) EXPECT_FALSE(refusal.help.empty()) << refusal.node;
}

TEST(TfliteRefusal, OperatorNumbersBeyondThoseKnownAreNamed) {
  TfliteBuilder model;
  const int x = model.tensor("x", {1}), y = model.tensor("y", {1});
  model.op(static_cast<Builtin>(4242), {x}, {y});
  EXPECT_EQ(refusals(model.finish({x}, {y})).at(0).op, "operator 4242 version 1");
}

TEST(TfliteRefusal, AxesThatTheFileLeavesOpenAreAskedFor) {
  TfliteBuilder model;
  const int x = model.tensor("x", {}), y = model.tensor("y", {});
  const std::vector<std::int32_t> axes = {1};
  model.op(Builtin::SQUEEZE, {x}, {y},
           tflite::CreateSqueeze(model.tables(), model.tables().CreateVector(axes)));
  const auto file = model.finish({x}, {y});
  EXPECT_TRUE(contains(refusals(file).at(0).reason, "--shape x="));
  const ImportOptions given{.shapes = {{"x", Shape{3, 1}}}};
  const ir::Graph graph = convert::import_tflite_bytes(file, given).graph;
  EXPECT_EQ(graph.value(graph.outputs.at(0)).shape, Shape{3});
}

TEST(TfliteRefusal, AShapeThatDependsOnAnInputNamesTheInput) {
  TfliteBuilder model;
  const int x = model.tensor("x", {6}), to = model.tensor("to", {2}, TensorType::int32),
            y = model.tensor("y", {2, 3});
  model.op(Builtin::RESHAPE, {x, to}, {y});
  const auto bytes = model.finish({x, to}, {y});
  const auto list = refusals(bytes);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].bind, std::vector<std::string>{"to"});
  EXPECT_TRUE(contains(list[0].help, "--bind to=")) << list[0].help;

  const std::int32_t shape[] = {3, 2};
  ImportOptions options;
  options.bind["to"] = ir::bytes_of(std::span<const std::int32_t>(shape));
  const auto imported = convert::import_tflite_bytes(bytes, options);
  EXPECT_EQ(imported.graph.inputs.size(), 1U);
  EXPECT_EQ(imported.graph.value(imported.graph.outputs[0]).shape, (Shape{3, 2}));
}

TEST(TfliteRefusal, OpenExtentsMustBeGivenButTheBatchIsOne) {
  TfliteBuilder model;
  const int x = model.tensor("x", {1, 1, 3}, TensorType::float32, {-1, -1, 3}),
            y = model.tensor("y", {1, 1, 3}, TensorType::float32, {-1, -1, 3});
  model.op(Builtin::NEG, {x}, {y});
  const auto bytes = model.finish({x}, {y});
  EXPECT_EQ(refusals(bytes).at(0).help, "give it: --shape x=?x?x3");
  ImportOptions options;
  options.shapes["x"] = Shape{2, 5, 3};
  const auto imported = convert::import_tflite_bytes(bytes, options);
  EXPECT_EQ(imported.graph.value(imported.graph.outputs[0]).shape, (Shape{2, 5, 3}));

  TfliteBuilder batch;
  const int a = batch.tensor("x", {1, 3}, TensorType::float32, {-1, 3}),
            b = batch.tensor("y", {1, 3});
  batch.op(Builtin::NEG, {a}, {b});
  const auto one = convert::import_tflite_bytes(batch.finish({a}, {b}), {});
  EXPECT_EQ(one.graph.value(one.graph.inputs[0]).shape, (Shape{1, 3}));
}

TEST(TfliteRefusal, ACutLeavesOutWhatIsNotNeeded) {
  TfliteBuilder model;
  const int x = model.tensor("x", {2}), a = model.tensor("a", {2}), b = model.tensor("b", {2}),
            c = model.tensor("c", {2}), d = model.tensor("d", {2});
  model.custom("Before", {x}, {a});
  model.op(Builtin::NEG, {a}, {b});
  model.op(Builtin::ABS, {b}, {c});
  model.custom("Behind", {c}, {d});
  const auto bytes = model.finish({x}, {d});
  EXPECT_EQ(refusals(bytes).size(), 2U);
  ImportOptions options;
  options.from = {"a"};
  options.to = {"c"};
  const auto imported = convert::import_tflite_bytes(bytes, options);
  ASSERT_EQ(imported.graph.inputs.size(), 1U);
  EXPECT_EQ(imported.graph.value(imported.graph.inputs[0]).name, "a");
  EXPECT_EQ(imported.graph.value(imported.graph.outputs[0]).name, "c");
  EXPECT_EQ(imported.graph.order().size(), 2U);
}

TEST(TfliteRefusal, NamesTheModelLacksAreTheCallersMistake) {
  TfliteBuilder model;
  const int x = model.tensor("x", {2}), y = model.tensor("y", {2});
  model.op(Builtin::NEG, {x}, {y});
  const auto bytes = model.finish({x}, {y});
  std::vector<ImportOptions> wrong(5);
  wrong[0].from = {"nobody"};
  wrong[1].to = {"nobody"};
  wrong[2].shapes["nobody"] = Shape{1};
  wrong[3].bind["nobody"] = {};
  wrong[4].bind["x"] = {};  // no bytes for two floats
  for (const ImportOptions& options : wrong) try {
      convert::import_tflite_bytes(bytes, options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
    }
}

TEST(TfliteRefusal, ExternalsKeepTheirNamesAndAreNodesOfTheirOwn) {
  TfliteBuilder model;
  const int x = model.tensor("x", {2}), y = model.tensor("", {2});
  model.op(Builtin::NEG, {x}, {y});
  const auto imported = convert::import_tflite_bytes(model.finish({x}, {y, x, y}), {});
  const ir::Graph& graph = imported.graph;
  ASSERT_EQ(graph.outputs.size(), 3U);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "tensor 1");
  EXPECT_EQ(graph.value(graph.outputs[1]).name, "x#1");
  EXPECT_EQ(graph.value(graph.outputs[2]).name, "tensor 1#1");
  for (ir::ValueId output : graph.outputs) EXPECT_GE(graph.value(output).producer, 0);
  EXPECT_EQ(imported.source.format, "tflite");
  EXPECT_EQ(imported.source.producer, "by hand");
  EXPECT_EQ(imported.source.sha256.size(), 64U);
}

TEST(TfliteRefusal, QuantisationStaysOnInputs) {
  TfliteBuilder model;
  const int x = model.quantized("x", {2}, TensorType::int8), y = model.tensor("y", {2}),
            z = model.tensor("z", {2});
  model.op(Builtin::NEG, {y}, {z});
  const auto imported = convert::import_tflite_bytes(model.finish({x, y}, {z}), {});
  const auto& quantization = imported.graph.value(imported.graph.inputs[0]).quantization;
  ASSERT_TRUE(quantization.has_value());
  EXPECT_EQ(quantization->scale, std::vector<float>{0.5F});
}

}  // namespace
}  // namespace skiff::test
