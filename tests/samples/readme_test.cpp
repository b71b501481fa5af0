#include "tests/support/command.h"
#include "tests/support/folders.h"

namespace skiff::test {
namespace {

const fs::path kSource = source_folder();

/// What the README shows must be what is compiled.
TEST(Readme, HoldsTheExampleAsItIs) {
  const std::string example = read_text(kSource / "samples" / "example.cpp");
  ASSERT_FALSE(example.empty());
  EXPECT_NE(read_text(kSource / "README.md").find("```cpp\n" + example + "```\n"),
            std::string::npos);
}

TEST(Readme, ExampleRuns) {
  const std::string source =
      "/usr/share/libonnx-testdata/data/pytorch-converted/test_Conv2d/model.onnx";
  if (!fs::exists(source)) GTEST_SKIP() << "no ONNX test data (package libonnx-testdata)";
  const ScratchFolder scratch;
  const std::string tools = std::string(binary_folder()) + "/";
  const std::string model = scratch / "model.skiff";
  const Said converted = run_command(tools + "skiff-convert " + source + " -o " + model);
  ASSERT_EQ(converted.code, 0) << converted.text;
  const Said said = run_command(tools + "sample_example " + model);
  EXPECT_EQ(said.code, 0) << said.text;
  EXPECT_TRUE(said.says("values, the first is ")) << said.text;
  EXPECT_EQ(run_command(tools + "sample_example " + (scratch / "none.skiff")).code, 1);
}

}  // namespace
}  // namespace skiff::test
