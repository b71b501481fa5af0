#include "tests/cli/tools.h"

// Where nothing can be written the tools say so, exit with 1 and leave the old file and nothing
// else. A limit on file sizes stands in for a full disk.
namespace skiff::test {
namespace {

/// The command where every file may hold `blocks` of 512 bytes.
Said run_limited(const std::string& tool, const std::string& arguments, int blocks = 0) {
  return run_command("{ trap '' XFSZ; ulimit -f " + std::to_string(blocks) + "; " +
                     binary_folder() + "/" + tool + " " + arguments + "; }");
}

std::size_t files_in(const ScratchFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()));
}

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (model_.empty()) GTEST_SKIP() << "no ONNX test data (package libonnx-testdata)";
  }

  /// `tool arguments OUT` fails, where OUT already holds something and where it does not.
  void expect_kept(const std::string& tool, const std::string& arguments,
                   const std::string& out_name) const {
    SCOPED_TRACE(tool + " " + arguments + out_name);
    const ScratchFolder folder;
    const std::string out = folder / out_name;
    for (std::size_t files : {0u, 1u}) {
      if (files == 1) std::ofstream(out) << "old";
      const Said said = run_limited(tool, arguments + out);
      EXPECT_EQ(said.code, 1) << said.text;
      EXPECT_TRUE(said.says("cannot write") && said.says(out_name)) << said.text;
      EXPECT_EQ(files_in(folder), files);
    }
    EXPECT_EQ(read_text(out), "old");
  }

  ScratchFolder scratch_;
  std::string model_ = small_model(scratch_);
};

TEST_F(FullDisk, ConvertKeepsTheOldFile) {
  expect_kept("skiff-convert", kSmallSource + " -o ", "out.skiff");
}

/// Where the report does not fit, the model is not written either.
TEST_F(FullDisk, ConvertWritesModelAndReportOrNothing) {
  const ScratchFolder folder;
  std::ofstream(folder / "out.skiff") << "old";
  const Said said =
      run_limited("skiff-convert", "--report " + (folder / "r.json") + " " + kSmallSource + " -o " +
                                       (folder / "out.skiff"));
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_EQ(read_text(folder / "out.skiff"), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST_F(FullDisk, HalfAModelIsNone) {
  const ScratchFolder folder;
  EXPECT_EQ(run_limited("skiff-convert", kSmallSource + " -o " + (folder / "out.skiff"), 2).code,
            1);
  EXPECT_EQ(files_in(folder), 0u);
}

TEST_F(FullDisk, EveryFileOfTheDeviceTool) {
  const std::string run = "run " + model_ + input_of_ones(model_, scratch_) + " --output " +
                          name_of_first(model_, "outputs", scratch_) + "=";
  for (const char* out : {"out.npy", "out.npz", "out.raw"}) expect_kept("skiff", run, out);
  const std::string quick = " --duration=0 --warmUp=0 --iterations=1 ";
  expect_kept("skiff", "bench " + model_ + quick + "--exportTimes=", "times.json");
  expect_kept("skiff", "profile " + model_ + " --trace=", "trace.json");
  for (const std::string& command : {"inspect " + model_, "bench " + model_ + quick,
                                     "inspect --memory " + model_, std::string("doctor")})
    expect_kept("skiff", command + " --json=", "out.json");
}

TEST_F(FullDisk, StandardOutput) {
  for (const std::string& command :
       {"skiff inspect " + model_, "skiff inspect --json=- " + model_, std::string("skiff doctor"),
        "skiff-convert " + kSmallSource + " -o " + (scratch_ / "again.skiff")}) {
    const Said said = run_command(std::string("{ ") + binary_folder() + "/" + command +
                                  " 2>&3 >/dev/full; } 3>&1");
    EXPECT_EQ(said.code, 1) << command << said.text;
    EXPECT_TRUE(said.says("No space left")) << said.text;
  }
}

/// Before anything is measured: an hour of it would take longer than this test may.
TEST_F(FullDisk, WhatCannotBeWrittenIsSaidAtOnce) {
  const std::string output =
      input_of_ones(model_, scratch_) + " --output " + name_of_first(model_, "outputs", scratch_);
  for (const std::string& out : {scratch_ / "none/out.npy", std::string("/dev/full")}) {
    for (const std::string& command :
         {"bench --duration=3600 --json=" + out, "bench --duration=3600 --exportTimes=" + out,
          "profile --iterations=1000000 --trace=" + out, "inspect --json=" + out,
          "verify --json=" + out}) {
      const Said said = run_command("timeout 60 " + std::string(binary_folder()) + "/skiff " +
                                    command + " " + model_);
      EXPECT_EQ(said.code, 1) << command << said.text;
      EXPECT_TRUE(said.says(out)) << said.text;
    }
  }
  const std::string missing = scratch_ / "none/out.npy";
  const Said said = skiff("run " + model_ + output + "=" + missing);
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_TRUE(said.says(missing)) << said.text;
}

TEST_F(FullDisk, NoSuchFolderAndNoFile) {
  const Said missing = skiff_convert(kSmallSource + " -o " + (scratch_ / "none/out.skiff"));
  EXPECT_EQ(missing.code, 1);
  EXPECT_TRUE(missing.says("none/out.skiff")) << missing.text;
  const Said folder = skiff_convert(kSmallSource + " -o " + (scratch_ / ""));
  EXPECT_EQ(folder.code, 1);
  EXPECT_TRUE(folder.says("cannot write")) << folder.text;
}

}  // namespace
}  // namespace skiff::test
