#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "converters/npy/npy.h"
#include "tests/support/command.h"
#include "tests/support/folders.h"

namespace skiff::test {

inline Said skiff(const std::string& arguments) {
  return run_command(std::string(binary_folder()) + "/skiff " + arguments);
}

inline Said skiff_convert(const std::string& arguments) {
  return run_command(std::string(binary_folder()) + "/skiff-convert " + arguments);
}

/// What a subcommand writes for --json=FILE.
inline nlohmann::json skiff_json(const std::string& arguments, const ScratchFolder& scratch) {
  const std::string file = scratch / "result.json";
  const Said said = skiff(arguments + " --json=" + file);
  EXPECT_EQ(said.code, 0) << arguments << "\n" << said.text;
  return nlohmann::json::parse(read_text(file), nullptr, false);
}

/// This machine's instruction sets: never none.
inline std::vector<std::string> isas_here(const ScratchFolder& scratch) {
  const auto doctor = skiff_json("doctor", scratch);
  EXPECT_FALSE(doctor["isas"].empty());
  return doctor["isas"];
}

/// A small network with weights out of the distribution's ONNX test data.
inline const std::string kSmallSource =
    "/usr/share/libonnx-testdata/data/pytorch-converted/test_Conv2d/model.onnx";

/// Converts it; "" where it is missing.
inline std::string small_model(const ScratchFolder& scratch, const std::string& flags = "") {
  if (!fs::exists(kSmallSource)) return "";
  const std::string model = scratch / "small.skiff";
  const Said said = skiff_convert(kSmallSource + " -o " + model + " " + flags);
  EXPECT_EQ(said.code, 0) << said.text;
  return model;
}

/// Name of the model's first of "inputs" or "outputs".
inline std::string name_of_first(const std::string& model, const char* what,
                                 const ScratchFolder& scratch) {
  return skiff_json("inspect " + model, scratch)[what][0]["name"].get<std::string>();
}

/// --input flags with a .npy of ones for the model's first input.
inline std::string input_of_ones(const std::string& model, const ScratchFolder& scratch) {
  const auto input = skiff_json("inspect " + model, scratch)["inputs"][0];
  npy::Array array{DType::float32, {}, {}};
  for (const auto& extent : input["shape"]) array.shape.push_back(extent.get<std::int64_t>());
  const std::vector<float> ones(static_cast<std::size_t>(array.shape.elements()), 1.0f);
  const auto bytes = std::as_bytes(std::span(ones));
  array.bytes.assign(bytes.begin(), bytes.end());
  npy::save_npy(scratch / "in.npy", array);
  return fmt::format(" --input {}={}", input["name"].get<std::string>(), scratch / "in.npy");
}

}  // namespace skiff::test

#define SKIFF_SMALL_MODEL(name, scratch, flags)                        \
  const std::string name = ::skiff::test::small_model(scratch, flags); \
  if (name.empty()) GTEST_SKIP() << "no ONNX test data (package libonnx-testdata)"
