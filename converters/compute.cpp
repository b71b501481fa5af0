#include "converters/compute.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "converters/dynamic/dynamic.h"
#include "converters/ir/counts.h"
#include "converters/ir/evaluate.h"
#include "runtime/core/error.h"
#include "runtime/core/half.h"

namespace skiff::convert {
namespace {

template <typename T>
void put(std::vector<std::byte>& bytes, T number) {
  const auto piece = std::as_bytes(std::span(&number, 1));
  bytes.insert(bytes.end(), piece.begin(), piece.end());
}

/// `pixels`: of all 256 numbers that a byte can be.
void put_random(std::vector<std::byte>& bytes, DType dtype, bool pixels, std::mt19937& generator) {
  // The top 24 bits, so that every number is a float exactly.
  const float unit = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  switch (dtype) {
    case DType::float32:
      return put(bytes, unit);
    case DType::float64:
      return put(bytes, static_cast<double>(unit));
    case DType::float16:
      return put(bytes, float_to_half(unit));
    case DType::bfloat16:
      return put(bytes, float_to_bfloat16(unit));
    default:
      break;
  }
  std::byte number[8] = {};
  number[0] = static_cast<std::byte>(generator() >> (pixels ? 24 : 30));
  bytes.insert(bytes.end(), number, number + size_of(dtype));
}

}  // namespace

namespace {

void set_inputs(ir::Graph& graph, const npy::Archive& inputs) {
  for (std::size_t i = 0; i < graph.variables.size(); ++i) {
    const ir::ValueId id = graph.inputs[graph.visible_inputs().size() + i];
    std::vector<std::byte> bytes = graph.variables[i].initial;
    bytes.resize(static_cast<std::size_t>(graph.info(id).bytes()));
    graph.value(id).constant = std::move(bytes);
  }
  for (ir::ValueId id : graph.visible_inputs()) {
    ir::Value& value = graph.value(id);
    const auto found = inputs.find(value.name);
    require(found != inputs.end(), ErrorCode::invalid_argument, "no array for input '", value.name,
            "'");
    const npy::Array& array = found->second;
    require(array.dtype == value.dtype && array.shape == value.shape, ErrorCode::invalid_argument,
            "input '", value.name, "' is ", value.dtype, " ", value.shape, ", the array ",
            array.dtype, " ", array.shape);
    value.constant = array.bytes;
  }
}

void compute_node(ir::Graph& graph, ir::NodeId id) {
  graph.node(id).count = -1;
  if (ir::is_counting(graph.node(id))) graph.reinfer(id);
  require(ir::evaluate(graph, id), ErrorCode::unsupported, "node '", graph.node(id).name, "' (",
          name_of(graph.node(id).op), ") cannot be computed at conversion");
}

/// What is not computed yet takes its shapes and attributes from `sizes`.
void take_sizes(ir::Graph& graph, const ir::Graph& sizes) {
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (!graph.value(id).constant) graph.value(id).shape = sizes.value(id).shape;
  }
  for (ir::NodeId id : graph.order()) graph.node(id).attrs = sizes.node(id).attrs;
}

}  // namespace

ir::Graph compute(const ir::Graph& graph, const npy::Archive& inputs) {
  ir::Graph result = graph;
  set_inputs(result, inputs);
  for (ir::NodeId id : graph.order()) {
    compute_node(result, id);
    const ir::Node& node = graph.node(id);
    require(!ir::is_counting(node) || result.node(id).count == node.count, ErrorCode::unsupported,
            "node '", node.name, "' (", name_of(node.op),
            ") counts its results: sizes depend on the data");
  }
  return result;
}

ir::Graph compute(const ir::Graph& graph, std::vector<std::int64_t>& symbols,
                  const npy::Archive& inputs) {
  ir::Graph result = dynamic::at_sizes(graph, symbols);
  set_inputs(result, inputs);
  for (ir::NodeId id : graph.order()) {
    compute_node(result, id);
    for (std::size_t s = 0; s < symbols.size(); ++s) {
      if (graph.symbols[s].node != id) continue;
      symbols[s] = result.node(id).count;
      take_sizes(result, dynamic::at_sizes(graph, symbols));
    }
  }
  return result;
}

npy::Archive random_inputs(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess) {
  std::mt19937 generator(20240229);
  npy::Archive arrays;
  for (ir::ValueId id : graph.visible_inputs()) {
    const ir::Value& value = graph.value(id);
    const bool pixels =
        value.dtype == DType::uint8 && std::ranges::any_of(preprocess, [&](const auto& p) {
          return graph.inputs[static_cast<std::size_t>(p.input)] == id;
        });
    npy::Array array{.dtype = value.dtype, .shape = value.shape, .bytes = {}};
    for (std::int64_t i = 0; i < value.shape.elements(); ++i)
      put_random(array.bytes, value.dtype, pixels, generator);
    arrays.emplace(value.name, std::move(array));
  }
  return arrays;
}

}  // namespace skiff::convert
