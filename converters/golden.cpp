#include "converters/golden.h"

#include <algorithm>
#include <filesystem>

#include "converters/compute.h"
#include "converters/distance.h"
#include "converters/dynamic/dynamic.h"
#include "converters/fingerprint.h"
#include "converters/passes/rewriter.h"
#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

npy::Archive inputs_of(const ir::Graph& graph, const npy::Archive& arrays,
                       const std::string& source) {
  npy::Archive inputs;
  for (ir::ValueId id : graph.visible_inputs()) {
    const std::string& name = graph.value(id).name;
    const npy::Array* array = npy::find(arrays, "in/", name);
    require(array != nullptr, ErrorCode::not_found, "--golden ", source, ": no array in/", name);
    const ir::Value& value = graph.value(id);
    require(array->dtype == value.dtype && array->shape == value.shape, ErrorCode::invalid_argument,
            "--golden ", source, ": in/", name, " is ", array->dtype, " ", array->shape,
            ", the input ", value.dtype, " ", value.shape,
            value.dtype == DType::uint8 && array->dtype == DType::float32
                ? " of pixels: store those, channels last and before they are normalised, or take "
                  "--golden=auto"
                : "");
    inputs.emplace(name, *array);
  }
  return inputs;
}

std::vector<std::byte> expected_bytes(const ir::Value& value, const npy::Archive& arrays,
                                      const std::string& source) {
  const npy::Array* array = npy::find(arrays, "out/", value.name);
  require(array != nullptr, ErrorCode::not_found, "--golden ", source, ": no array out/",
          value.name);
  require(array->dtype == value.dtype && array->shape == value.shape, ErrorCode::invalid_argument,
          "--golden ", source, ": out/", value.name, " is ", array->dtype, " ", array->shape,
          ", the output is ", value.dtype, " ", value.shape);
  return array->bytes;
}

/// The symbols that give the inputs the arrays' shapes; those that no input shows are as usual.
std::vector<std::int64_t> sizes_of(const ir::Graph& graph, const npy::Archive& arrays,
                                   const std::string& source) {
  std::vector<std::int64_t> symbols;
  for (const fb::SymbolT& symbol : graph.symbols) symbols.push_back(symbol.opt);
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& value = graph.value(id);
    const npy::Array* array = npy::find(arrays, "in/", value.name);
    if (array == nullptr || array->dtype != value.dtype ||
        array->shape.rank() != static_cast<int>(value.dims.size()))
      continue;
    for (std::size_t axis = 0; axis < value.dims.size(); ++axis) {
      if (value.dims[axis] >= 0) continue;
      const auto& tokens =
          graph.expressions[static_cast<std::size_t>(-(value.dims[axis] + 1))].postfix;
      if (tokens.size() != 1 || tokens[0].op() != fb::DimOp::symbol) continue;
      const auto s = static_cast<std::size_t>(tokens[0].value());
      const std::int64_t size = array->shape[static_cast<int>(axis)];
      const fb::SymbolT& bounds = graph.symbols[s];
      require(size >= bounds.min && size <= bounds.max && size % bounds.multiple_of == 0,
              ErrorCode::invalid_argument, "--golden ", source, ": in/", value.name, " makes ",
              bounds.name, " ", size, ", which is not within its bounds");
      symbols[s] = size;
    }
  }
  return symbols;
}

/// Of the last output and what was computed for it.
void keep_distance(Golden& golden, const ir::Value& computed) {
  if (!passes::is_float(computed.dtype)) return;
  ir::Value expected = computed;
  expected.constant = golden.outputs.back().bytes;
  Distance distance;
  distance.add(ir::numbers(computed), ir::numbers(expected));
  golden.off_l2 = std::max(golden.off_l2, distance.relative_l2());
  golden.off_most = std::max(golden.off_most, distance.max_relative());
}

}  // namespace

npy::Archive own_case(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess) {
  npy::Archive arrays, inputs = random_inputs(graph, preprocess);
  const ir::Graph computed = compute(graph, inputs);
  for (auto& [name, array] : inputs) arrays.emplace("in/" + name, std::move(array));
  for (ir::ValueId id : graph.visible_outputs()) {
    const ir::Value& value = computed.value(id);
    arrays.emplace("out/" + value.name, npy::Array{value.dtype, value.shape, *value.constant});
  }
  return arrays;
}

Golden make_golden(const ir::Graph& any_size, const std::string& source,
                   std::span<const fb::PreprocessT> preprocess, npy::Archive floats) {
  const bool automatic = source == "auto", expected_here = automatic && floats.empty();
  npy::Archive arrays = automatic ? std::move(floats) : npy::load_npz(source);
  std::vector<std::int64_t> symbols = sizes_of(any_size, arrays, source);
  ir::Graph graph = dynamic::at_sizes(any_size, symbols);
  if (expected_here) arrays = random_inputs(graph, preprocess);
  const npy::Archive inputs = inputs_of(graph, arrays, source);
  const ir::Graph computed = compute(any_size, symbols, inputs);
  graph = dynamic::at_sizes(any_size, symbols);
  Golden golden{.name = automatic ? "auto" : std::filesystem::path(source).stem().string(),
                .origin = automatic ? fb::GoldenOrigin::self : fb::GoldenOrigin::reference,
                .inputs = {},
                .outputs = {},
                .fingerprints = {},
                .symbols = symbols};
  for (ir::ValueId id : graph.visible_inputs())
    golden.inputs.push_back({id, inputs.at(graph.value(id).name).bytes});
  for (ir::ValueId id : graph.visible_outputs()) {
    golden.outputs.push_back({id, expected_here ? *computed.value(id).constant
                                                : expected_bytes(graph.value(id), arrays, source)});
    if (!expected_here) keep_distance(golden, computed.value(id));
  }
  for (ir::NodeId id : graph.order())
    for (ir::ValueId output : graph.node(id).outputs)
      golden.fingerprints.push_back(fingerprint(computed, output));
  return golden;
}

}  // namespace skiff::convert
