#include "converters/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <filesystem>
#include <limits>
#include <set>

#include "converters/onnx/external_data.h"
#include "converters/onnx/importer.h"
#include "platform/sha256.h"
#include "platform/whole_file.h"

namespace skiff::convert {
namespace {

constexpr int kMaxDepth = 64;

onnx::ModelProto parse(std::span<const std::byte> bytes) {
  require(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
          ErrorCode::unsupported, "the ONNX file has ", bytes.size(),
          " bytes; protobuf reads at most 2 GiB: keep the weights in external data");
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  coded.SetRecursionLimit(kMaxDepth);
  onnx::ModelProto model;
  require(
      model.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage(), ErrorCode::invalid_model,
      "the bytes are no ONNX model: damaged, cut off, or nested more than ", kMaxDepth, " deep");
  require(model.has_graph(), ErrorCode::invalid_model,
          "the bytes are no ONNX model: they hold no graph");
  return model;
}

}  // namespace

Imported import_onnx_bytes(std::span<const std::byte> bytes, const std::string& folder,
                           const ImportOptions& options) {
  const onnx::ModelProto model = parse(bytes);
  Imported imported = onnx::Importer(model, folder, options).run();
  imported.source.sha256 = platform::to_hex(platform::sha256(bytes)).data();
  for (const std::string& location : onnx::external_locations(model))
    imported.source.files.push_back((std::filesystem::path(folder) / location).string());
  return imported;
}

std::vector<DeclaredInput> declared_inputs_onnx(const std::string& path) {
  const onnx::ModelProto model = parse(platform::read_whole(platform::File(path.c_str())));
  std::set<std::string> initialized;
  for (const auto& tensor : model.graph().initializer()) initialized.insert(tensor.name());
  std::vector<DeclaredInput> inputs;
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (initialized.contains(input.name())) continue;
    DeclaredInput& declared = inputs.emplace_back();
    declared.name = input.name();
    for (const auto& dim : input.type().tensor_type().shape().dim())
      declared.dims.push_back(
          {dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1, dim.dim_param()});
  }
  return inputs;
}

Imported import_onnx(const std::string& path, const ImportOptions& options) {
  const std::vector<std::byte> bytes = platform::read_whole(platform::File(path.c_str()));
  const std::size_t slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return import_onnx_bytes(bytes, folder, options);
}

}  // namespace skiff::convert
