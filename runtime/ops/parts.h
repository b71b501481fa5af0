#pragma once

#include <array>
#include <span>
#include <string_view>

#include "runtime/ops/op.h"

namespace skiff {

/// A node that a session made part of another one, whose attributes tell of it.
struct Part {
  static constexpr int kPrevious = -2;  ///< operand: the result of the part before
  const OpDef* def = nullptr;
  const void* attributes = nullptr;
  std::string_view name;          ///< of the node it was
  std::array<int, 4> operands{};  ///< inputs of the whole by their number; -1: absent
};

/// The parts of a node as rules and kernels see them. Points into itself.
class PartsView {
 public:
  static constexpr std::size_t kMaxParts = 5;

  /// Throws what the parts' rules throw.
  PartsView(const NodeView& whole, std::span<const Part> parts);
  PartsView(const PartsView&) = delete;
  PartsView& operator=(const PartsView&) = delete;

  const NodeView& part(int i) const noexcept { return views_[static_cast<std::size_t>(i)]; }
  const TensorInfo& result(int i) const noexcept { return results_[static_cast<std::size_t>(i)]; }

 private:
  std::array<std::array<const TensorInfo*, 4>, kMaxParts> operands_{};
  std::array<TensorInfo, kMaxParts> results_;
  std::array<NodeView, kMaxParts> views_;
};

/// A part and one of its operands.
struct PartOperand {
  std::size_t part;
  int input;
};
/// The first that takes input `input` of the whole.
PartOperand find_part_operand(std::span<const Part> parts, int input) noexcept;

}  // namespace skiff
