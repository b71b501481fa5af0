#pragma once

#include "tests/support/command.h"
#include "tests/support/folders.h"
#include "tests/support/shared_data.h"

namespace skiff::test {

/// Runs the samples on models and media of the shared folder; skips where there is none.
class Samples : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_ / "models"))
      GTEST_SKIP() << "no " << (data_ / "models").string() << " (set SKIFF_DATA)";
  }

  /// Converts a shared model, with its task where it has one; returns the .skiff file.
  std::string convert(const std::string& file, const std::string& flags = "") {
    const fs::path model = data_ / "models" / file;
    const std::string out = scratch_ / (model.stem().string() + ".skiff");
    const fs::path task = tasks_ / (model.stem().string() + ".json");
    const Said said =
        run_command(std::string(binary_folder()) + "/skiff-convert " + model.string() + " -o " +
                    out + (fs::exists(task) ? " --task " + task.string() : "") + " " + flags);
    EXPECT_EQ(said.code, 0) << said.text;
    return out;
  }
  std::string media(const std::string& file) const { return (data_ / "media" / file).string(); }

  Said run(const std::string& sample, const std::string& arguments) const {
    const Said said =
        run_command(std::string(binary_folder()) + "/sample_" + sample + " " + arguments);
    EXPECT_EQ(said.code, 0) << said.text;
    return said;
  }

  ScratchFolder scratch_;
  fs::path data_ = shared_data();
  fs::path tasks_ = fs::path(source_folder()) / "samples" / "tasks";
};

}  // namespace skiff::test
