#include "tests/converters/onnx_builder.h"

#include <gtest/gtest.h>

#include "converters/ir/evaluate.h"

namespace skiff::test {
namespace {

using onnx::AttributeProto;

onnx::TensorProto& add_tensor(onnx::GraphProto& graph, const std::string& name, int type,
                              const std::vector<std::int64_t>& dims) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (std::int64_t extent : dims) tensor.add_dims(extent);
  return tensor;
}

}  // namespace

OnnxBuilder::OnnxBuilder(int opset) {
  model.set_ir_version(8);
  model.set_producer_name("test");
  model.add_opset_import()->set_version(opset);
  graph().set_name("g");
}

OnnxBuilder& OnnxBuilder::input(const std::string& name, std::vector<std::int64_t> dims, int type) {
  onnx::ValueInfoProto& info = *graph().add_input();
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (std::int64_t extent : dims) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (extent < 0)
      dim.set_dim_param("N");
    else
      dim.set_dim_value(extent);
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::output(const std::string& name) {
  onnx::ValueInfoProto& info = *graph().add_output();
  info.set_name(name);
  info.mutable_type()->mutable_tensor_type()->set_elem_type(1);
  return *this;
}

OnnxBuilder& OnnxBuilder::floats(const std::string& name, std::vector<std::int64_t> dims,
                                 std::vector<float> values) {
  onnx::TensorProto& tensor = add_tensor(graph(), name, 1, dims);
  for (float value : values) tensor.add_float_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::integers(const std::string& name, std::vector<std::int64_t> values) {
  onnx::TensorProto& tensor =
      add_tensor(graph(), name, 7, {static_cast<std::int64_t>(values.size())});
  for (std::int64_t value : values) tensor.add_int64_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::node(const std::string& op, const Names& inputs, const Names& outputs) {
  onnx::NodeProto& added = *graph().add_node();
  added.set_op_type(op);
  for (const std::string& name : inputs) added.add_input(name);
  for (const std::string& name : outputs) added.add_output(name);
  return *this;
}

AttributeProto& OnnxBuilder::add_attr(const std::string& name, AttributeProto::AttributeType type) {
  AttributeProto& attribute = *graph().mutable_node(graph().node_size() - 1)->add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

OnnxBuilder& OnnxBuilder::attr(const std::string& name, std::int64_t value) {
  add_attr(name, AttributeProto::INT).set_i(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::attr(const std::string& name, float value) {
  add_attr(name, AttributeProto::FLOAT).set_f(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::attr(const std::string& name, const std::string& value) {
  add_attr(name, AttributeProto::STRING).set_s(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::attr(const std::string& name,
                               std::initializer_list<std::int64_t> values) {
  AttributeProto& attribute = add_attr(name, AttributeProto::INTS);
  for (std::int64_t value : values) attribute.add_ints(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::attr(const std::string& name, const onnx::GraphProto& body) {
  *add_attr(name, AttributeProto::GRAPH).mutable_g() = body;
  return *this;
}

std::vector<std::byte> OnnxBuilder::bytes() const {
  const std::string text = model.SerializeAsString();
  const auto view = std::as_bytes(std::span(text.data(), text.size()));
  return {view.begin(), view.end()};
}

convert::Imported OnnxBuilder::import(const convert::ImportOptions& options,
                                      const std::string& folder) const {
  return convert::import_onnx_bytes(bytes(), folder, options);
}

std::vector<convert::Refusal> refusals_of(const OnnxBuilder& model,
                                          const convert::ImportOptions& options) {
  try {
    model.import(options);
  } catch (const convert::Refused& refused) {
    return refused.refusals();
  }
  ADD_FAILURE() << "it was not refused";
  return {};
}

std::string error_of(const OnnxBuilder& model, const convert::ImportOptions& options,
                     const std::string& folder) {
  try {
    model.import(options, folder);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string operators(const ir::Graph& graph) {
  std::string text;
  for (ir::NodeId id : graph.order()) {
    if (!text.empty()) text += ' ';
    text += name_of(graph.node(id).op);
  }
  return text;
}

std::vector<double> compute(ir::Graph graph, const std::vector<std::vector<float>>& inputs) {
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    graph.value(graph.inputs[i]).constant = ir::bytes_of(std::span(inputs.at(i)));
  for (ir::NodeId id : graph.order()) EXPECT_TRUE(ir::evaluate(graph, id)) << graph.node(id).name;
  return ir::numbers(graph.value(graph.outputs.at(0)));
}

}  // namespace skiff::test
