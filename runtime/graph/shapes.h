#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

#include "runtime/graph/graph.h"

namespace skiff {

/// The values of a graph for one choice of its symbols: first the largest. Also the scratch that
/// looking at a node as rules and kernels see it takes, so that assign() and view() allocate
/// nothing. Points into the graph.
class Shapes {
 public:
  Shapes(const Graph& graph, std::pmr::memory_resource& memory);

  const TensorInfo& info(std::int32_t value) const noexcept {
    return infos_.empty() ? graph_.value(value).info : infos_[static_cast<std::size_t>(value)];
  }
  /// Valid until the next call.
  NodeView view(const GraphNode& node) noexcept;
  std::span<const TensorInfo> outputs(const GraphNode& node) noexcept;

  /// Of a graph with symbols: their values, and the choice of others. Throws what
  /// Symbols::assign throws, with nothing changed; and Error{invalid_argument} that names the node
  /// which cannot work with these sizes, in an undefined state: assign values that did work.
  std::span<const std::int64_t> symbols() const noexcept { return symbols_->values(); }
  void assign(std::span<const std::int64_t> symbols);
  /// The same where the symbols that nodes set are not known yet: what depends on them keeps its
  /// largest shapes, and is not checked.
  void assign_inputs(std::span<const std::int64_t> symbols);
  /// One symbol is known now; see Symbols::set. Values follow by update().
  void set(std::int32_t symbol, std::int64_t value) { symbols_->set(symbol, value); }
  /// The results of a node whose operands have their shapes. Throws as assign().
  void update(const GraphNode& node);

 private:
  void take(std::span<const std::int64_t> symbols, bool all);
  void evaluate(std::size_t value);
  void evaluate_nested();
  void check(const GraphNode& node);

  const Graph& graph_;
  std::optional<Symbols> symbols_;
  std::pmr::vector<TensorInfo> infos_;  // empty: the graph's own
  std::pmr::vector<const TensorInfo*> operands_;
  std::pmr::vector<TensorInfo> results_;
  std::pmr::vector<BodyView> bodies_;
  std::pmr::vector<const TensorInfo*> edges_;  // of bodies_
};

}  // namespace skiff
