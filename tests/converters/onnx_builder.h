#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "converters/import.h"
#include "converters/onnx/onnx.pb.h"

namespace skiff::test {

using Names = std::vector<std::string>;

/// Small ONNX models, built field by field.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(int opset = 17);

  /// Float32 unless said; a negative extent is symbolic ("N").
  OnnxBuilder& input(const std::string& name, std::vector<std::int64_t> dims, int type = 1);
  OnnxBuilder& output(const std::string& name);
  OnnxBuilder& floats(const std::string& name, std::vector<std::int64_t> dims,
                      std::vector<float> values);
  OnnxBuilder& integers(const std::string& name, std::vector<std::int64_t> values);
  OnnxBuilder& node(const std::string& op, const Names& inputs, const Names& outputs);

  // Attributes of the last node.
  OnnxBuilder& attr(const std::string& name, std::int64_t value);
  OnnxBuilder& attr(const std::string& name, float value);
  OnnxBuilder& attr(const std::string& name, const std::string& value);
  OnnxBuilder& attr(const std::string& name, std::initializer_list<std::int64_t> values);
  OnnxBuilder& attr(const std::string& name, const onnx::GraphProto& graph);

  onnx::ModelProto model;
  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  std::vector<std::byte> bytes() const;
  convert::Imported import(const convert::ImportOptions& options = {},
                           const std::string& folder = {}) const;

 private:
  onnx::AttributeProto& add_attr(const std::string& name, onnx::AttributeProto::AttributeType type);
};

/// The refusals an import ends with; fails the test when it does not.
std::vector<convert::Refusal> refusals_of(const OnnxBuilder& model,
                                          const convert::ImportOptions& options = {});
/// Message of the Error an import ends with; "" when it succeeds.
std::string error_of(const OnnxBuilder& model, const convert::ImportOptions& options = {},
                     const std::string& folder = {});

/// Names of the graph's operators in order, e.g. "transpose conv transpose".
std::string operators(const ir::Graph& graph);
/// Numbers of the only output, computed from these input values (one list an input, in order).
std::vector<double> compute(ir::Graph graph, const std::vector<std::vector<float>>& inputs = {});

}  // namespace skiff::test
