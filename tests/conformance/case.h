#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converters/import.h"
#include "converters/onnx/tensor.h"

namespace skiff::conformance {

/// Where one case lies: a folder with model.onnx and test_data_set_0, or a whole net X.onnx with
/// X_output_0.pb, whose input is a ramp.
struct CasePath {
  std::string name;
  std::filesystem::path model;
  std::filesystem::path data;  ///< folder of input_N.pb and output_N.pb; empty: a whole net
};

/// Every case beneath `folder`, sorted by name.
std::vector<CasePath> find_cases(const std::filesystem::path& folder);

using Tensors = std::map<std::string, onnx::Dense>;

/// A case's model with its given inputs and expected outputs, by name.
struct Case {
  std::string model_path;
  Tensors inputs;
  Tensors outputs;
  std::vector<std::string> output_order;
};

/// Throws Error{unsupported} when a value is no tensor of a type Skiff has.
Case load_case(const CasePath& path);

}  // namespace skiff::conformance
