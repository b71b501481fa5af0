#include <gtest/gtest.h>

#include "tests/converters/onnx_builder.h"

// Definitions that changed between operator sets: the same numbers mean different things.
namespace skiff::test {
namespace {

using Doubles = std::vector<double>;

TEST(OnnxVersions, SoftmaxWasOverAllAxesFromOne) {
  const auto sum_of_first_row = [](int opset) {
    const auto graph = OnnxBuilder(opset)
                           .input("x", {1, 2, 2})
                           .node("Softmax", {"x"}, {"y"})
                           .output("y")
                           .import()
                           .graph;
    const Doubles y = compute(graph, {{0, 0, 0, 0}});
    return y[0] + y[1];
  };
  EXPECT_DOUBLE_EQ(sum_of_first_row(11), 0.5);
  EXPECT_DOUBLE_EQ(sum_of_first_row(13), 1.0);
}

TEST(OnnxVersions, ClipBoundsMovedFromAttributesToInputs) {
  OnnxBuilder old(6), now(13);
  old.input("x", {3}).node("Clip", {"x"}, {"y"}).attr("min", -1.0f).attr("max", 2.0f).output("y");
  now.input("x", {3}).floats("low", {}, {-1}).floats("high", {}, {2});
  now.node("Clip", {"x", "low", "high"}, {"y"}).output("y");
  for (const OnnxBuilder& model : {old, now}) {
    const auto graph = model.import().graph;
    EXPECT_EQ(operators(graph), "unary");
    EXPECT_EQ(compute(graph, {{-3, 1, 3}}), (Doubles{-1, 1, 2}));
  }
}

TEST(OnnxVersions, AxesOfSqueezeMovedToAnInput) {
  OnnxBuilder old(11), now(13);
  old.input("x", {1, 2, 1}).node("Squeeze", {"x"}, {"y"}).attr("axes", {0}).output("y");
  now.input("x", {1, 2, 1}).integers("axes", {0}).node("Squeeze", {"x", "axes"}, {"y"}).output("y");
  for (const OnnxBuilder& model : {old, now}) {
    const auto graph = model.import().graph;
    EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 1}));
  }
}

TEST(OnnxVersions, BroadcastingNeededAnAxis) {
  OnnxBuilder model(6);
  model.input("x", {1, 2, 2}).floats("b", {2}, {10, 20});
  model.node("Add", {"x", "b"}, {"y"})
      .attr("broadcast", std::int64_t{1})
      .attr("axis", std::int64_t{1})
      .output("y");
  EXPECT_EQ(compute(model.import().graph, {{1, 2, 3, 4}}), (Doubles{11, 12, 23, 24}));
}

TEST(OnnxVersions, SplitsMayBeUnequalSince18) {
  OnnxBuilder model(18);
  model.input("x", {5})
      .node("Split", {"x"}, {"a", "y"})
      .attr("num_outputs", std::int64_t{2})
      .output("y");
  EXPECT_EQ(compute(model.import().graph, {{0, 1, 2, 3, 4}}), (Doubles{3, 4}));
}

TEST(OnnxVersions, UpsampleCountsFromTheCorner) {
  OnnxBuilder model(9);
  model.input("x", {1, 1, 1, 2}).floats("s", {4}, {1, 1, 1, 2});
  model.node("Upsample", {"x", "s"}, {"y"}).attr("mode", std::string("nearest")).output("y");
  EXPECT_EQ(compute(model.import().graph, {{3, 5}}), (Doubles{3, 3, 5, 5}));
}

TEST(OnnxVersions, GroupNormScaleWasPerGroup) {
  for (int opset : {18, 21}) {
    OnnxBuilder model(opset);
    const std::int64_t count = opset == 18 ? 2 : 4;
    const std::vector<float> two =
        opset == 18 ? std::vector<float>{1, 2} : std::vector<float>{1, 1, 2, 2};
    model.input("x", {1, 4, 1, 1}).floats("s", {count}, two);
    model.floats("b", {count}, std::vector<float>(static_cast<std::size_t>(count), 0));
    model.node("GroupNormalization", {"x", "s", "b"}, {"y"})
        .attr("num_groups", std::int64_t{2})
        .output("y");
    const Doubles y = compute(model.import().graph, {{-1, 1, -1, 1}});
    EXPECT_NEAR(y[1], 1, 1e-4);
    EXPECT_NEAR(y[3], 2, 1e-4);
  }
}

}  // namespace
}  // namespace skiff::test
