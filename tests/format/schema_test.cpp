#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/format/schema_lines.h"

// What was released stays: every line of schema-1.0.txt must be there unchanged. Lines for what is
// new are appended to that file (print_schema prints them all).
namespace skiff::test {
namespace {

const char* const kHint =
    "a released part of the format was changed; schema/README.md has the rules";

std::set<std::string> released() {
  std::set<std::string> lines;
  std::istringstream text(read_text(SKIFF_FORMAT_TESTS "/schema-1.0.txt"));
  for (std::string line; std::getline(text, line);) lines.insert(line);
  return lines;
}

std::set<std::string> today() {
  const std::vector<std::string> lines = schema_lines(read_text(SKIFF_SCHEMA_BINARY));
  return {lines.begin(), lines.end()};
}

TEST(Schema, KeepsWhatWasReleased) {
  const std::set<std::string> now = today();
  EXPECT_GT(released().size(), 500u);
  for (const std::string& line : released())
    EXPECT_TRUE(now.count(line) == 1) << line << "\nis gone or different: " << kHint;
}

TEST(Schema, EveryLineIsRecorded) {
  const std::set<std::string> recorded = released();
  for (const std::string& line : today())
    EXPECT_TRUE(recorded.count(line) == 1) << line << "\nis new: append it to schema-1.0.txt";
}

/// A dump that lost its details would compare equal for ever.
TEST(Schema, TheCheckSeesWhatItIsFor) {
  std::set<std::string> now = today();
  EXPECT_EQ(now.count("table skiff.fb.ConvAttrs.groups id 4 type Long default 1 0"), 1u);
  EXPECT_EQ(now.count("value skiff.fb.OpKind.conv = 28"), 1u);
  EXPECT_EQ(now.count("value skiff.fb.Attrs.ConvAttrs = 1 type skiff.fb.ConvAttrs"), 1u);
  EXPECT_EQ(now.count("struct skiff.fb.DimToken size 16 align 8"), 1u);
  EXPECT_EQ(now.count("file_identifier SKFM"), 1u);
}

}  // namespace
}  // namespace skiff::test
