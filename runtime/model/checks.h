#pragma once

#include "runtime/graph/shapes.h"
#include "runtime/model/container.h"
#include "schema/skiff_generated.h"

// The semantic checks behind check_structure(), which knows types and bounds of tables but nothing
// of what the numbers mean. Each throws Error{invalid_model} or Error{unsupported}.
namespace skiff::model {

/// required_features, number of graphs, symbols.
void check_features(const fb::Model& model);

/// Offsets, sizes, alignment, order and digest fields of the data segment's buffers.
void check_buffers(const fb::Model& model, std::uint64_t data_size);

/// Builds the graph from the file's graphs, checking values, definitions, uses, arity, attributes
/// (through the operators' rules), that declared shapes are what the rules give, that every graph
/// but the first is the body of one node, and how deep they nest.
void build_graph(const fb::Model& model, Graph& graph, std::pmr::memory_resource& memory);

/// Plans, pre- and postprocessing, golden data: every index and length. The states
/// become part of the graph.
void check_manifest(const fb::Model& model, Graph& graph, std::pmr::memory_resource& scratch);

/// Shapes::assign, or assign_inputs, for sizes that a file gives: what they cannot be is the file's
/// fault.
void assign(Shapes& shapes, std::span<const std::int64_t> symbols, bool all = true);

/// Length of a vector field that may be absent.
template <typename T>
std::size_t length(const flatbuffers::Vector<T>* field) noexcept {
  return field == nullptr ? 0 : field->size();
}

/// Text of a string field that may be absent.
inline std::string_view text(const flatbuffers::String* field) noexcept {
  return field == nullptr ? std::string_view() : std::string_view(field->c_str(), field->size());
}

/// A vector field of numbers in place (the format and every supported host are little endian).
template <typename T>
std::span<const T> numbers(const flatbuffers::Vector<T>* field) noexcept {
  return field == nullptr ? std::span<const T>() : std::span<const T>(field->data(), field->size());
}

}  // namespace skiff::model
