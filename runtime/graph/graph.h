#pragma once

#include <bit>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/core/tensor_info.h"
#include "runtime/graph/symbols.h"
#include "runtime/ops/op.h"

namespace skiff {

/// A value of a verified graph.
struct GraphValue {
  TensorInfo info;  ///< shape: for every symbol at its largest
  /// As stored, when an extent is an expression over the symbols; null: the shape is fixed.
  const flatbuffers::Vector<std::int64_t>* dims = nullptr;
  std::int64_t max_bytes = 0;  ///< no choice of the symbols needs more
  std::int32_t buffer = -1;    ///< index into the model's buffers: a constant
  /// What the buffer's bytes are when the constant is taken as float32: a 16-bit float.
  DType stored = DType::none;
  std::int32_t producer = -1;  ///< node that writes it; -1: input or constant
  bool is_input = false;       ///< external input of the graph
  bool is_output = false;
};

/// A node of a verified graph: its rule accepted it.
struct GraphNode {
  const OpDef* def = nullptr;
  const void* attributes = nullptr;
  std::span<const std::int32_t> inputs;  ///< -1: absent
  std::span<const std::int32_t> outputs;
  std::string_view name;
  std::int32_t sets = -1;    ///< the symbol that is the number of its results; -1: none
  Symbols::Set follows = 0;  ///< symbols that nodes set which its shapes or attributes depend on
  std::int32_t index = -1;   ///< in the file, where a graph of fewer nodes is made of it
};

/// What output computes is what input holds on the next run.
struct StateLink {
  std::int32_t output = -1, input = -1;
  std::int32_t initial_buffer = -1;  ///< -1: zeros
};

/// Flat arrays, nodes in executable order. Only model::verify makes one, so whoever holds a Graph
/// holds checked indices, shapes and attributes. Points into the model's metadata.
struct Graph {
  explicit Graph(std::pmr::memory_resource& memory)
      : values(&memory), nodes(&memory), states(&memory) {}

  std::string_view name;
  std::pmr::vector<GraphValue> values;
  std::pmr::vector<GraphNode> nodes;
  std::span<const std::int32_t> inputs;
  std::span<const std::int32_t> outputs;
  std::pmr::vector<StateLink> states;
  const Symbols* symbols = nullptr;  ///< every one at its largest; null: all shapes are fixed

  const GraphValue& value(std::int32_t id) const { return values[static_cast<std::size_t>(id)]; }
  /// Symbols that inputs' shapes set: Session::resize changes them.
  bool resizable() const noexcept {
    return symbols != nullptr &&
           std::popcount(symbols->counted()) < static_cast<int>(symbols->count());
  }
  /// Which symbol an axis of a value is, without any arithmetic; -1: it is fixed or computed.
  std::int32_t symbol_of(std::int32_t value, int axis) const noexcept;
};

/// NodeView::count for those values of the symbols.
std::int64_t count_of(const GraphNode& node, const Symbols* symbols) noexcept;

/// A node as its rule and kernels see it, at the largest shapes; the operand pointers live in
/// `memory`.
NodeView view_of(const Graph& graph, const GraphNode& node, std::pmr::memory_resource& memory);

/// True when both have the same number of bytes for every choice of the symbols.
bool same_bytes(const GraphValue& a, const GraphValue& b) noexcept;

}  // namespace skiff
