#include "tests/conformance/case.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "converters/onnx/onnx.pb.h"
#include "platform/file.h"
#include "runtime/core/error.h"

namespace skiff::conformance {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  const platform::File file(path.c_str());
  std::string text(file.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

onnx::Dense read_value(const fs::path& path, const onnx::TypeProto& type, const std::string& name) {
  require(type.value_case() == onnx::TypeProto::kTensorType, ErrorCode::unsupported, "'", name,
          "' is a sequence, optional or map, not a tensor");
  onnx::Dense dense = onnx::load_tensor(path.string());
  const auto declared = onnx::find_dtype(type.tensor_type().elem_type());
  require(declared != DType::bfloat16 || dense.dtype == DType::bfloat16, ErrorCode::unsupported,
          "'", name, "' is data of ONNX before 1.13, where bfloat16 was cut instead of rounded");
  return dense;
}

/// A few old cases have data that is no input of their own model.
void require_declared_shape(const onnx::Dense& dense, const onnx::ValueInfoProto& input) {
  const auto declared = onnx::static_shape(input.type().tensor_type().shape());
  require(!input.type().tensor_type().has_shape() || !declared || *declared == dense.shape,
          ErrorCode::unsupported, "'", input.name(), "' is ", dense.shape, " in the data and ",
          declared.value_or(Shape{}), " in the model");
}

fs::path numbered(const fs::path& folder, const char* what, int i) {
  return folder / (std::string(what) + "_" + std::to_string(i) + ".pb");
}

/// arange(n) / n: what ONNX's own runner feeds to nets that come without data.
onnx::Dense ramp(const Shape& shape) {
  onnx::Dense dense{.dtype = DType::float32, .shape = shape, .bytes = {}};
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  const auto count = static_cast<float>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / count;
  const auto bytes = std::as_bytes(std::span(values));
  dense.bytes.assign(bytes.begin(), bytes.end());
  return dense;
}

void load_net(const CasePath& path, const onnx::GraphProto& graph, Case& loaded) {
  std::set<std::string> initializers;
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  for (const auto& input : graph.input()) {
    if (initializers.count(input.name()) != 0) continue;
    const auto shape = onnx::static_shape(input.type().tensor_type().shape());
    require(shape.has_value(), ErrorCode::unsupported, "'", input.name(), "' has no fixed shape");
    loaded.inputs[input.name()] = ramp(*shape);
  }
  fs::path expected = path.model;
  expected.replace_extension();
  expected += "_output_0.pb";
  const std::string& name = graph.output(0).name();
  loaded.outputs[name] = read_value(expected, graph.output(0).type(), name);
  loaded.output_order.push_back(name);
}

}  // namespace

std::vector<CasePath> find_cases(const fs::path& folder) {
  std::vector<CasePath> cases;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".onnx") continue;
    fs::path output = path;
    output.replace_extension();
    output += "_output_0.pb";
    if (path.filename() == "model.onnx" && fs::is_directory(path.parent_path() / "test_data_set_0"))
      cases.push_back(
          {path.parent_path().filename(), path, path.parent_path() / "test_data_set_0"});
    else if (fs::exists(output))
      cases.push_back({path.stem(), path, {}});
  }
  std::sort(cases.begin(), cases.end(),
            [](const CasePath& a, const CasePath& b) { return a.name < b.name; });
  return cases;
}

Case load_case(const CasePath& path) {
  onnx::ModelProto model;
  require(model.ParseFromString(read_all(path.model)), ErrorCode::invalid_argument,
          path.model.string(), " is no ONNX model");
  const onnx::GraphProto& graph = model.graph();
  Case loaded{.model_path = path.model, .inputs = {}, .outputs = {}, .output_order = {}};
  if (path.data.empty()) {
    load_net(path, graph, loaded);
    return loaded;
  }
  for (int i = 0; i < graph.input_size(); ++i) {
    const onnx::ValueInfoProto& input = graph.input(i);
    if (!fs::exists(numbered(path.data, "input", i))) continue;
    onnx::Dense& dense = loaded.inputs[input.name()];
    dense = read_value(numbered(path.data, "input", i), input.type(), input.name());
    require_declared_shape(dense, input);
  }
  for (int i = 0; i < graph.output_size(); ++i) {
    loaded.outputs[graph.output(i).name()] = read_value(
        numbered(path.data, "output", i), graph.output(i).type(), graph.output(i).name());
    loaded.output_order.push_back(graph.output(i).name());
  }
  return loaded;
}

}  // namespace skiff::conformance
