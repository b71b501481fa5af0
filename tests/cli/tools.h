#pragma once

#include <nlohmann/json.hpp>

#include "tests/support/command.h"

namespace skiff::test {

inline Said skiff(const std::string& arguments) {
  return run_command(std::string(SKIFF_BINARY_DIR) + "/skiff " + arguments);
}

inline Said skiff_convert(const std::string& arguments) {
  return run_command(std::string(SKIFF_BINARY_DIR) + "/skiff-convert " + arguments);
}

/// What a subcommand writes for --json=FILE.
inline nlohmann::json skiff_json(const std::string& arguments, const ScratchFolder& scratch) {
  const std::string file = scratch / "result.json";
  const Said said = skiff(arguments + " --json=" + file);
  EXPECT_EQ(said.code, 0) << arguments << "\n" << said.text;
  return nlohmann::json::parse(read_text(file), nullptr, false);
}

/// Converts a small network with weights out of the distribution's ONNX test data; "" without it.
inline std::string small_model(const ScratchFolder& scratch, const std::string& flags = "") {
  const std::string source =
      "/usr/share/libonnx-testdata/data/pytorch-converted/test_Conv2d/model.onnx";
  if (!fs::exists(source)) return "";
  const std::string model = scratch / "small.skiff";
  const Said said = skiff_convert(source + " -o " + model + " " + flags);
  EXPECT_EQ(said.code, 0) << said.text;
  return model;
}

}  // namespace skiff::test

#define SKIFF_SMALL_MODEL(name, scratch, flags)                        \
  const std::string name = ::skiff::test::small_model(scratch, flags); \
  if (name.empty()) GTEST_SKIP() << "no ONNX test data (package libonnx-testdata)"
