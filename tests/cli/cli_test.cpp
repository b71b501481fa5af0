#include "tests/cli/tools.h"

// What every subcommand has in common.
namespace skiff::test {
namespace {

TEST(Tool, UnknownArgumentsAreErrorsWithAHint) {
  Said said = skiff("bench model.skiff --durtion=1");
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("unknown argument --durtion (did you mean --duration?)")) << said.text;
  said = skiff("bnch model.skiff");
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("did you mean bench?")) << said.text;
  said = skiff("run --qqqqqqqqqqq model.skiff");
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("--help lists all")) << said.text;
}

TEST(Tool, FlagsFollowTheCommand) {
  const Said said = skiff("--json - inspect model.skiff");
  EXPECT_EQ(said.code, 2);
  EXPECT_TRUE(said.says("skiff: --json stands before the command")) << said.text;
  EXPECT_TRUE(said.says("skiff inspect --json")) << said.text;
  EXPECT_TRUE(skiff("--jsn - inspect model.skiff").says("skiff: unknown argument --jsn"));
}

TEST(Tool, WrongNumbersAreRefusedWithWhatIsRight) {
  struct Wrong {
    const char *arguments, *expected;
  };
  for (const auto& [arguments, expected] : {
           Wrong{"bench m --iterations=0",
                 "skiff bench: --iterations: should be a whole number of "
                 "1 or more, not '0'"},
           Wrong{"bench m --threads=abc", "skiff bench: --threads: should be a whole number"},
           Wrong{"bench m --duration=-1", "skiff bench: --duration: should be a number of 0"},
           Wrong{"bench m --percentile=101",
                 "skiff bench: --percentile: should be a number from 0"},
           Wrong{"bench m --sessions=65", "from 1 to 64"},
           Wrong{"run m --rtol=-1", "skiff run: --rtol: should be a number of 0 or more"},
           Wrong{"run m --atol=nan", "skiff run: --atol: should be a number of 0 or more"},
           Wrong{"profile m --iterations=1x", "skiff profile: --iterations: should be"},
       }) {
    const Said said = skiff(arguments);
    EXPECT_EQ(said.code, 2) << said.text;
    EXPECT_TRUE(said.says(expected)) << said.text;
  }
}

TEST(Tool, WrongUseIsTwo) {
  const ScratchFolder scratch;
  EXPECT_EQ(skiff("").code, 2);
  for (const char* command : {"run", "bench", "profile", "inspect", "verify"}) {
    EXPECT_EQ(skiff(command).code, 2) << command;
    const Said said = skiff(std::string(command) + " " + (scratch / "none.skiff"));
    EXPECT_EQ(said.code, 2) << command;
    EXPECT_TRUE(said.says("none.skiff")) << said.text;
  }
}

TEST(Tool, HelpAndVersionAreZero) {
  EXPECT_EQ(skiff("--help").code, 0);
  EXPECT_EQ(skiff("bench --help").code, 0);
  EXPECT_TRUE(skiff("bench --help").says("--exportTimes"));
  EXPECT_EQ(skiff("--version").code, 0);
}

TEST(Tool, DamagedFilesAreRefusedWithOne) {
  const ScratchFolder scratch;
  const std::string file = scratch / "damaged.skiff";
  for (const std::string& text :
       {std::string(), std::string("no model at all"), std::string(100000, '\xff')}) {
    std::ofstream(file) << text;
    const Said said = skiff("inspect " + file);
    EXPECT_EQ(said.code, 1) << said.text;
    EXPECT_TRUE(said.says("skiff inspect: ")) << said.text;
  }
}

TEST(Tool, WrongValuesOfCommonFlags) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  EXPECT_EQ(skiff("inspect --memory --threads=0 " + model).code, 2);
  EXPECT_EQ(skiff("inspect --memory --isa=nonsense " + model).code, 2);
  EXPECT_EQ(skiff("inspect --memory --memory-limit=12Q " + model).code, 2);
  EXPECT_EQ(skiff("inspect --memory --device=tpu " + model).code, 2);
  EXPECT_EQ(skiff("inspect --digest=maybe " + model).code, 2);
  for (const char* command : {"run ", "bench ", "profile ", "inspect ", "verify "}) {
    const Said said = skiff(command + model + " --device=cpu --strict-gpu");
    EXPECT_EQ(said.code, 2) << said.text;
    EXPECT_TRUE(said.says("--strict-gpu contradicts --device=cpu")) << said.text;
  }
}

TEST(Tool, WarnsOnceThatThereIsNoGpu) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  const Said said = skiff("bench --device=cuda --sessions=3 --duration=0 --warmUp=0 " + model);
  EXPECT_EQ(said.code, 0) << said.text;
  const std::string warning = "skiff bench: the CPU is used";
  const std::size_t first = said.text.find(warning);
  ASSERT_NE(first, std::string::npos) << said.text;
  EXPECT_EQ(said.text.find(warning, first + 1), std::string::npos) << said.text;
}

TEST(Tool, ShapesAreReadAlikeByBothTools) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  for (const char* extents : {"1x-3", "1xax3", "x3", "1x3x", "1x3y", "1x1x1x1x1x1x1x1x1"}) {
    const std::string expected = fmt::format("--shape x={}: should be NAME=1x3x224x224", extents);
    for (const Said& said :
         {skiff(fmt::format("run {} --shape x={}", model, extents)),
          skiff_convert(fmt::format("{} -o {} --shape x={}", kSmallSource, model, extents))}) {
      EXPECT_NE(said.code, 0);
      EXPECT_TRUE(said.says(expected)) << said.text;
    }
  }
}

TEST(Tool, MemoryLimitIsKept) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "");
  EXPECT_EQ(skiff("bench --duration=0 --iterations=1 --memory-limit=1G " + model).code, 0);
  const Said said = skiff("bench --duration=0 --iterations=1 --memory-limit=1K " + model);
  EXPECT_EQ(said.code, 1);
  EXPECT_TRUE(said.says("limit")) << said.text;
}

TEST(Tool, BudgetOfTheFileIsKept) {
  const ScratchFolder scratch;
  SKIFF_SMALL_MODEL(model, scratch, "--fit=1G");
  EXPECT_EQ(skiff_json("inspect " + model, scratch)["memory_budget"].get<std::uint64_t>(),
            1u << 30);
  EXPECT_EQ(skiff("bench --duration=0 --iterations=1 " + model).code, 0);
  const Said small = skiff_convert(kSmallSource + " --fit=1K -o " + (scratch / "none.skiff"));
  EXPECT_EQ(small.code, 1) << small.text;
  EXPECT_TRUE(small.says("--fit: 1024 bytes are too few")) << small.text;
  EXPECT_FALSE(fs::exists(scratch / "none.skiff"));
  EXPECT_EQ(skiff_convert(kSmallSource + " --fit=much -o " + (scratch / "none.skiff")).code, 2);
}

TEST(Doctor, NamesInstructionSets) {
  const ScratchFolder scratch;
  const auto json = skiff_json("doctor", scratch);
  ASSERT_TRUE(json.contains("isas")) << json;
  EXPECT_FALSE(json["isas"].empty());
  EXPECT_GE(json["cpus"].get<int>(), 1);
}

TEST(Doctor, LooksAtTheDeviceThatIsAskedFor) {
  EXPECT_TRUE(skiff("doctor --device=cpu --verbose").says("not looked for"));
  EXPECT_EQ(skiff("doctor --device=tpu").code, 2);
}

}  // namespace
}  // namespace skiff::test
