#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/ops/kernel.h"
#include "tests/support/folders.h"

// Every operator this version can run is named by a test of its folder.
namespace skiff::test {
namespace {

std::string all_tests() {
  std::string text;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(source_folder()) + "/tests/ops")) {
    if (entry.path().filename() == "coverage_test.cpp") continue;
    std::ifstream file(entry.path());
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return text;
}

TEST(Coverage, EveryOperatorHasATest) {
  const std::string tests = all_tests();
  ASSERT_FALSE(tests.empty());
  for (const OpDef& op : all_ops()) {
    if (op.infer == nullptr) continue;
    const bool named = tests.find("OpKind::" + std::string(op.name)) != std::string::npos;
    EXPECT_TRUE(named) << "operator without a test: " << op.name;
    EXPECT_NE(op.make_cpu, nullptr) << "operator without a CPU kernel: " << op.name;
  }
}

}  // namespace
}  // namespace skiff::test
