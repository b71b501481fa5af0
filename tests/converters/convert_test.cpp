#include "converters/convert.h"

#include <gtest/gtest.h>

#include "converters/dump.h"
#include "converters/task.h"
#include "converters/writer.h"
#include "tests/converters/pass_support.h"

namespace skiff::convert {
namespace {

TEST(Convert, AnchorsAsMediaPipesFaceDetectorHasThem) {
  const std::vector<float> anchors = ssd_anchors(128, {8, 16, 16, 16}, 0.5f, 1);
  ASSERT_EQ(anchors.size(), 896u * 4);  // the model's own number of boxes
  EXPECT_FLOAT_EQ(anchors[0], 0.5f / 16);
  EXPECT_FLOAT_EQ(anchors[4], 0.5f / 16);
  EXPECT_FLOAT_EQ(anchors[8], 1.5f / 16);
  EXPECT_FLOAT_EQ(anchors[512 * 4 + 1], 0.5f / 8);
  EXPECT_FLOAT_EQ(anchors[512 * 4 + 3], 1.0f);
}

TEST(Convert, UnknownSuffixesAreRefusedByName) {
  for (const char* path : {"net.pt2", "net.h5"}) {
    try {
      convert_file(path, {});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported);
    }
  }
}

TEST(Convert, DumpShowsAttributesAndShapes) {
  ir::Graph graph;
  const auto x = graph.add_input("picture", DType::float32, {2, 3});
  graph.outputs = {skiff::testing::unary(graph, fb::UnaryFunction::clip, x, 0, 6)};
  const std::string text = dump(graph);
  EXPECT_NE(text.find("picture:float32[2, 3]"), std::string::npos) << text;
  EXPECT_NE(text.find("function: clip"), std::string::npos) << text;
}

TEST(Convert, TheSameGraphGivesTheSameBytes) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::float32, {1, 4, 6, 5});
  graph.outputs = {skiff::testing::nchw_conv(graph, x, 3)};
  Manifest manifest;
  manifest.name = "net";
  EXPECT_EQ(write_model(graph, manifest), write_model(graph, manifest));
}

}  // namespace
}  // namespace skiff::convert
