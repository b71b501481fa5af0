#include "tests/plan/csv.h"

#include <gtest/gtest.h>
#include <skiff/error.h>

namespace skiff::plan {
namespace {

std::string refusal(const char* text) {
  try {
    (void)parse_csv(text, "x.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PlanCsv, ReadsColumnsInAnyOrder) {
  const auto problem = parse_csv("size,id,upper,lower\r\n4,b1,3,0\r\n\n8,b2,9,3", "x.csv");
  ASSERT_EQ(problem.buffers.size(), 2U);
  EXPECT_EQ(problem.ids[1], "b2");
  EXPECT_EQ(problem.buffers[1].first, 3);
  EXPECT_EQ(problem.buffers[1].end, 9);
  EXPECT_EQ(problem.buffers[1].size, 8);
}

TEST(PlanCsv, MalformedFilesAreRefusedWithTheLine) {
  EXPECT_NE(refusal("").find("first line"), std::string::npos);
  EXPECT_NE(refusal("id,lower,upper\n").find("no column 'size'"), std::string::npos);
  const std::string head = "id,lower,upper,size\n";
  EXPECT_NE(refusal((head + "a,0,1\n").c_str()).find("x.csv:2: 3 fields"), std::string::npos);
  EXPECT_NE(refusal((head + "a,0,1,4x\n").c_str()).find("'4x'"), std::string::npos);
  EXPECT_NE(refusal((head + "a,0,1,-4\n").c_str()).find("-4"), std::string::npos);
  EXPECT_NE(refusal((head + "a,0,99999999999,4\n").c_str()).find("not in"), std::string::npos);
  EXPECT_NE(refusal((head + "a,5,5,4\n").c_str()).find("greater"), std::string::npos);
}

TEST(PlanCsv, CapacityComesFromTheName) {
  EXPECT_EQ(capacity_in_name("some/A.1048576.csv"), 1048576);
  EXPECT_EQ(capacity_in_name("A.csv"), 0);
  EXPECT_EQ(capacity_in_name("A.12x.csv"), 0);
}

}  // namespace
}  // namespace skiff::plan
