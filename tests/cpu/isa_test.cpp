#include "runtime/cpu/isa.h"

#include <gtest/gtest.h>

#include <string>

#include <skiff/error.h>

namespace skiff::cpu {
namespace {

TEST(InstructionSets, TheBestComesFirstAndEachIsFoundByName) {
  const auto tables = available_tables();
  ASSERT_FALSE(tables.empty());
  EXPECT_EQ(&choose_table(""), tables.front());
  EXPECT_EQ(&choose_table("auto"), tables.front());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    EXPECT_EQ(&choose_table(tables[i]->name), tables[i]);
    if (i > 0) {
      EXPECT_LE(tables[i]->lanes, tables[i - 1]->lanes);
    }
  }
}

TEST(InstructionSets, TheBaselineIsAlwaysThere) {
#if defined(__x86_64__)
  EXPECT_STREQ(available_tables().back()->name, "sse2");
#else
  EXPECT_STREQ(available_tables().back()->name, "neon");
#endif
}

TEST(InstructionSets, AnUnknownNameListsWhatThereIs) {
  try {
    choose_table("avx3");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    const std::string text = error.what();
    EXPECT_NE(text.find("avx3"), std::string::npos) << text;
    EXPECT_NE(text.find(available_tables().back()->name), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace skiff::cpu
