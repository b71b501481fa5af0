#include "converters/golden.h"

#include <filesystem>

#include "converters/compute.h"
#include "converters/fingerprint.h"
#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

/// The array called `prefix` + name, or name itself.
const npy::Array* find(const npy::Archive& arrays, const std::string& prefix,
                       const std::string& name) {
  for (const std::string& key : {prefix + name, name})
    if (const auto found = arrays.find(key); found != arrays.end()) return &found->second;
  return nullptr;
}

npy::Archive inputs_of(const ir::Graph& graph, const npy::Archive& arrays,
                       const std::string& source) {
  npy::Archive inputs;
  for (ir::ValueId id : graph.inputs) {
    const std::string& name = graph.value(id).name;
    const npy::Array* array = find(arrays, "in/", name);
    require(array != nullptr, ErrorCode::not_found, "--golden ", source, ": no array in/", name);
    inputs.emplace(name, *array);
  }
  return inputs;
}

std::vector<std::byte> expected_bytes(const ir::Value& value, const npy::Archive& arrays,
                                      const std::string& source) {
  const npy::Array* array = find(arrays, "out/", value.name);
  require(array != nullptr, ErrorCode::not_found, "--golden ", source, ": no array out/",
          value.name);
  require(array->dtype == value.dtype && array->shape == value.shape, ErrorCode::invalid_argument,
          "--golden ", source, ": out/", value.name, " is ", array->dtype, " ", array->shape,
          ", the output is ", value.dtype, " ", value.shape);
  return array->bytes;
}

}  // namespace

Golden make_golden(const ir::Graph& graph, const std::string& source) {
  const bool automatic = source == "auto";
  const npy::Archive arrays = automatic ? random_inputs(graph) : npy::load_npz(source);
  const npy::Archive inputs = inputs_of(graph, arrays, source);
  const ir::Graph computed = compute(graph, inputs);
  Golden golden{.name = automatic ? "auto" : std::filesystem::path(source).stem().string(),
                .origin = automatic ? fb::GoldenOrigin::self : fb::GoldenOrigin::reference,
                .inputs = {},
                .outputs = {},
                .fingerprints = {}};
  for (ir::ValueId id : graph.inputs)
    golden.inputs.push_back({id, inputs.at(graph.value(id).name).bytes});
  for (ir::ValueId id : graph.outputs)
    golden.outputs.push_back({id, automatic ? *computed.value(id).constant
                                            : expected_bytes(graph.value(id), arrays, source)});
  for (ir::NodeId id : graph.order())
    for (ir::ValueId output : graph.node(id).outputs)
      golden.fingerprints.push_back(fingerprint(computed, output));
  return golden;
}

}  // namespace skiff::convert
